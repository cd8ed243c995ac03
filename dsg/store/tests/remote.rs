//! A repository at the other end of a connection: what holds on one machine holds there too, whatever
//! the connection does and whatever the other side says.

#[path = "remote/cuts.rs"]
mod cuts;
#[path = "remote/hostile_client.rs"]
mod hostile_client;
#[path = "remote/hostile_server.rs"]
mod hostile_server;
#[path = "remote/large.rs"]
mod large;
#[path = "remote/line.rs"]
mod line;
#[path = "remote/many.rs"]
mod many;
#[path = "remote/protocol.rs"]
mod protocol;
#[path = "remote/sync.rs"]
mod sync;
