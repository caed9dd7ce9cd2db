//! Wind over the area, and the wind triangle.

/// What the air does. Gusts and forecast errors are kept for later and not flown yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Weather {
    /// Where the mean wind at 10 m blows to, m/s east and north.
    pub wind_east_mps: f64,
    pub wind_north_mps: f64,
    pub air_density_kgpm3: f64,
}
