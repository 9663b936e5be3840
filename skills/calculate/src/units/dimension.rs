//! What units measure, as exponents of base quantities.

/// The base quantities and their units, in the order of the exponents.
const BASE: [(&str, &str); 6] = [
    ("length", "metre"),
    ("mass", "kilogram"),
    ("time", "second"),
    ("temperature", "kelvin"),
    ("angle", "radian"),
    ("data", "bit"),
];

/// Exponents of length, mass, time, temperature, angle and data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension(pub [i32; 6]);

pub const LENGTH: Dimension = Dimension([1, 0, 0, 0, 0, 0]);
pub const AREA: Dimension = Dimension([2, 0, 0, 0, 0, 0]);
pub const VOLUME: Dimension = Dimension([3, 0, 0, 0, 0, 0]);
pub const MASS: Dimension = Dimension([0, 1, 0, 0, 0, 0]);
pub const TIME: Dimension = Dimension([0, 0, 1, 0, 0, 0]);
pub const TEMPERATURE: Dimension = Dimension([0, 0, 0, 1, 0, 0]);
pub const SPEED: Dimension = Dimension([1, 0, -1, 0, 0, 0]);
pub const ACCELERATION: Dimension = Dimension([1, 0, -2, 0, 0, 0]);
pub const FORCE: Dimension = Dimension([1, 1, -2, 0, 0, 0]);
pub const PRESSURE: Dimension = Dimension([-1, 1, -2, 0, 0, 0]);
pub const ENERGY: Dimension = Dimension([2, 1, -2, 0, 0, 0]);
pub const POWER: Dimension = Dimension([2, 1, -3, 0, 0, 0]);
pub const FREQUENCY: Dimension = Dimension([0, 0, -1, 0, 0, 0]);
pub const ANGLE: Dimension = Dimension([0, 0, 0, 0, 1, 0]);
pub const ANGULAR_SPEED: Dimension = Dimension([0, 0, -1, 0, 1, 0]);
pub const DATA: Dimension = Dimension([0, 0, 0, 0, 0, 1]);
pub const DATA_RATE: Dimension = Dimension([0, 0, -1, 0, 0, 1]);
const NONE: Dimension = Dimension([0; 6]);

/// The dimensions that have names of their own and units in the table.
pub const NAMED: &[(&str, Dimension)] = &[
    ("length", LENGTH),
    ("area", AREA),
    ("volume", VOLUME),
    ("mass", MASS),
    ("time", TIME),
    ("temperature", TEMPERATURE),
    ("speed", SPEED),
    ("acceleration", ACCELERATION),
    ("force", FORCE),
    ("pressure", PRESSURE),
    ("energy", ENERGY),
    ("power", POWER),
    ("frequency", FREQUENCY),
    ("angle", ANGLE),
    ("angular speed", ANGULAR_SPEED),
    ("data", DATA),
    ("data rate", DATA_RATE),
];

/// Names of dimensions that only compounds have.
const COMPOUND: &[(&str, Dimension)] = &[
    ("dimensionless", NONE),
    ("density", Dimension([-3, 1, 0, 0, 0, 0])),
    ("volume flow", Dimension([3, 0, -1, 0, 0, 0])),
    ("mass flow", Dimension([0, 1, -1, 0, 0, 0])),
    ("momentum", Dimension([1, 1, -1, 0, 0, 0])),
    ("dynamic viscosity", Dimension([-1, 1, -1, 0, 0, 0])),
];

impl Dimension {
    pub const DIMENSIONLESS: Self = NONE;

    /// This, and another raised to a power.
    pub fn times(self, other: Self, exponent: i32) -> Self {
        let mut product = self.0;
        for (total, factor) in product.iter_mut().zip(other.0) {
            *total += factor * exponent;
        }
        Self(product)
    }

    /// Its name, or its formula where it has none: "length*mass/time^2".
    pub fn name(self) -> String {
        NAMED
            .iter()
            .chain(COMPOUND)
            .find(|(_, known)| *known == self)
            .map_or_else(|| self.formula(|(quantity, _)| quantity), |(name, _)| (*name).into())
    }

    /// The base unit that measures it: "metre/second".
    pub fn base_unit(self) -> String {
        self.formula(|(_, unit)| unit)
    }

    fn formula(self, word: impl Fn((&'static str, &'static str)) -> &'static str) -> String {
        let (mut above, mut below) = (Vec::new(), String::new());
        for (base, exponent) in BASE.into_iter().zip(self.0) {
            let power = match exponent.abs() {
                1 => word(base).to_string(),
                n => format!("{}^{n}", word(base)),
            };
            if exponent > 0 {
                above.push(power);
            } else if exponent < 0 {
                below.push('/');
                below.push_str(&power);
            }
        }
        let above = if above.is_empty() { "1".into() } else { above.join("*") };
        above + &below
    }
}
