//! Attacks: real forgeries by a servicer that knows every opening, refused for the stated reason. The numbers are those of
//! the list of attacks in the design.

mod amounts;
mod attestations;
mod books;
mod bytes;
mod context;
mod decrees;
mod forge;
mod genesis;
mod handles;
mod points;
mod raised;
mod recovered;
mod split;
mod turnstile;
mod viewers;
mod written;
