//! Third-party transport: a carrier with vans on the ground, for what no drone can take.

/// What a world knows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Carrier {
    /// What customers are shown.
    pub name: String,
}

impl Default for Carrier {
    fn default() -> Self {
        Carrier {
            name: "third-party".to_owned(),
        }
    }
}
