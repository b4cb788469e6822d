//! Attacks: real forgeries, refused for the stated reason.
