//! The API over its routes: the published contract, its edges, its files, and that nothing leaks.

mod contract;
mod edges;
mod files;
mod leaks;
mod site;
