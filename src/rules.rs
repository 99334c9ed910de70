//! What a listing should show, and who says so. Pure: integers in, decisions with their reasons out.

pub mod mapping;
pub mod precedence;
pub mod quantity;
