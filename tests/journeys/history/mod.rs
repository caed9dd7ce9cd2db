//! Deliveries that have ended leave memory, and everything that shows them goes on showing
//! them as if they had not.

mod same_as_ever;
