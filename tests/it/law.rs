//! The law by calls: do departments get by way of their gateway what the law gives them, and are
//! they refused what it does not?

mod cases;
mod entries;
mod grants;
mod proofs;
mod quality;
mod relations;
mod rules;
mod work;
