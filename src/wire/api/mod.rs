//! Bodies of the HTTP interface.
