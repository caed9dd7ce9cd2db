//! Deliveries that have ended leave memory, and everything that shows them goes on showing
//! them as if they had not.

mod old;
mod same_as_ever;
mod what_it_tells;
