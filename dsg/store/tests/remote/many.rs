//! Many at once.

use std::sync::Barrier;

use dsg_store::sync::SyncOutcome;

use crate::line::World;

const CLIENTS: usize = 16;
const ROUNDS: usize = 3;

#[test]
fn sixteen_clients_lose_no_update_and_nobody_starves() {
    let world = World::new();
    let people: Vec<_> = (0..CLIENTS).map(|number| world.person(&format!("p{number}"))).collect();
    let start = Barrier::new(CLIENTS);
    std::thread::scope(|scope| {
        for (number, person) in people.iter().enumerate() {
            let start = &start;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    person.write(&format!("input/{number}-{round}"), format!("{number} {round}"));
                    start.wait();
                    // An attempt has an end by itself; none of them may be used up.
                    let outcome = person.try_sync().expect("a turn for everybody");
                    assert!(matches!(outcome, SyncOutcome::Done(_)));
                }
            });
        }
    });
    assert_eq!(world.head(), (CLIENTS * ROUNDS) as u64);
    for person in &people {
        person.sync();
        for number in 0..CLIENTS {
            for round in 0..ROUNDS {
                let text = person.read(&format!("input/{number}-{round}"));
                assert_eq!(text, Some(format!("{number} {round}")));
            }
        }
    }
    world.assert_whole();
}
