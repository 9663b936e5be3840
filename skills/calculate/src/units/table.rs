//! The units that are known. Every factor is exact by definition of the unit;
//! units that are measured, such as the dalton, aren't here.

use super::dimension::{
    ACCELERATION, ANGLE, ANGULAR_SPEED, AREA, DATA, DATA_RATE, Dimension, ENERGY, FORCE, FREQUENCY, LENGTH, MASS,
    POWER, PRESSURE, SPEED, TEMPERATURE, TIME, VOLUME,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefixes {
    None,
    Metric,
    /// Metric from kilo upward, and binary: a decibyte would be misread.
    Data,
}

#[derive(Debug)]
pub struct Entry {
    /// Case-sensitive; the first is the usual one.
    pub symbols: &'static [&'static str],
    /// Any case, singular, lower case here; the first is the usual one.
    pub names: &'static [&'static str],
    pub dimension: Dimension,
    /// In base units: decimal numbers and `pi` joined by `*` and `/`.
    pub factor: &'static str,
    /// Kelvins to add after the factor, for temperature scales.
    pub offset: Option<&'static str>,
    pub prefixes: Prefixes,
}

const fn entry(
    symbols: &'static [&'static str],
    names: &'static [&'static str],
    dimension: Dimension,
    factor: &'static str,
) -> Entry {
    Entry { symbols, names, dimension, factor, offset: None, prefixes: Prefixes::None }
}

impl Entry {
    const fn metric(mut self) -> Self {
        self.prefixes = Prefixes::Metric;
        self
    }

    const fn data(mut self) -> Self {
        self.prefixes = Prefixes::Data;
        self
    }

    const fn offset(mut self, offset: &'static str) -> Self {
        self.offset = Some(offset);
        self
    }
}

/// Spellings that mean different units to different people, and what to write.
pub const AMBIGUOUS: &[(&str, &[&str])] = &[
    ("ton", &["tonne", "short ton", "long ton"]),
    ("tons", &["tonne", "short ton", "long ton"]),
    ("KB", &["kB", "KiB"]),
    ("Kb", &["kb", "Kib"]),
    ("mb", &["Mb", "MB", "mbar"]),
    ("gb", &["Gb", "GB"]),
    ("tb", &["Tb", "TB"]),
    ("kt", &["kn", "kilotonne"]),
    ("imperial ton", &["long ton"]),
    ("kg/cm2", &["at", "kgf/cm2"]),
];

pub const UNITS: &[Entry] = &[
    entry(&["m"], &["metre", "meter"], LENGTH, "1").metric(),
    entry(&["in", "″", "\""], &["inch", "inches"], LENGTH, "0.0254"),
    entry(&["ft"], &["foot", "feet"], LENGTH, "0.3048"),
    entry(&["yd"], &["yard"], LENGTH, "0.9144"),
    entry(&["mi"], &["mile", "statute mile"], LENGTH, "1609.344"),
    entry(&["nmi", "NM"], &["nautical mile"], LENGTH, "1852"),
    entry(&["thou"], &["thou", "mil"], LENGTH, "0.0000254"),
    entry(&["ftm"], &["fathom"], LENGTH, "1.8288"),
    entry(&["rd"], &["rod"], LENGTH, "5.0292"),
    entry(&["ch"], &["chain"], LENGTH, "20.1168"),
    entry(&["fur"], &["furlong"], LENGTH, "201.168"),
    entry(&["ftUS"], &["us survey foot", "us survey feet"], LENGTH, "1200/3937"),
    entry(&["Å"], &["angstrom", "ångström"], LENGTH, "0.0000000001"),
    entry(&["micron"], &["micron"], LENGTH, "0.000001"),
    entry(&["au", "AU"], &["astronomical unit"], LENGTH, "149597870700"),
    entry(&["ly"], &["light year"], LENGTH, "9460730472580800").metric(),
    entry(&["pc"], &["parsec"], LENGTH, "648000*149597870700/pi").metric(),
    entry(&["are"], &["are"], AREA, "100"),
    entry(&["ha"], &["hectare"], AREA, "10000"),
    entry(&["ac"], &["acre"], AREA, "4046.8564224"),
    entry(&["L", "l", "ℓ"], &["litre", "liter"], VOLUME, "0.001").metric(),
    entry(&["cc", "ccm"], &["cc"], VOLUME, "0.000001"),
    entry(&["gal"], &["gallon", "us gallon"], VOLUME, "0.003785411784"),
    entry(&["qt"], &["quart", "us quart"], VOLUME, "0.000946352946"),
    entry(&["pt"], &["pint", "us pint"], VOLUME, "0.000473176473"),
    entry(&["cup"], &["cup", "us cup"], VOLUME, "0.0002365882365"),
    entry(&["floz", "fl oz"], &["fluid ounce", "us fluid ounce"], VOLUME, "0.0000295735295625"),
    entry(&["tbsp"], &["tablespoon"], VOLUME, "0.00001478676478125"),
    entry(&["tsp"], &["teaspoon"], VOLUME, "0.00000492892159375"),
    entry(&["impgal"], &["imperial gallon"], VOLUME, "0.00454609"),
    entry(&["impqt"], &["imperial quart"], VOLUME, "0.0011365225"),
    entry(&["imppt"], &["imperial pint"], VOLUME, "0.00056826125"),
    entry(&["impfloz"], &["imperial fluid ounce"], VOLUME, "0.0000284130625"),
    entry(&["bbl"], &["oil barrel", "barrel"], VOLUME, "0.158987294928"),
    entry(&["acft"], &["acre foot", "acre feet"], VOLUME, "1233.48183754752"),
    entry(&["g"], &["gram", "gramme"], MASS, "0.001").metric(),
    entry(&["t"], &["tonne", "metric ton"], MASS, "1000").metric(),
    entry(&["lb", "lbs"], &["pound"], MASS, "0.45359237"),
    entry(&["oz"], &["ounce"], MASS, "0.028349523125"),
    entry(&["st"], &["stone"], MASS, "6.35029318"),
    entry(&["tonUS"], &["short ton", "us ton"], MASS, "907.18474"),
    entry(&["tonUK"], &["long ton"], MASS, "1016.0469088"),
    entry(&["gr"], &["grain"], MASS, "0.00006479891"),
    entry(&["ct"], &["carat"], MASS, "0.0002"),
    entry(&["ozt"], &["troy ounce"], MASS, "0.0311034768"),
    entry(&["slug"], &["slug"], MASS, "0.45359237*9.80665/0.3048"),
    entry(&["s", "sec"], &["second"], TIME, "1").metric(),
    entry(&["min"], &["minute"], TIME, "60"),
    entry(&["h", "hr", "hrs"], &["hour"], TIME, "3600"),
    entry(&["d"], &["day"], TIME, "86400"),
    entry(&["wk"], &["week"], TIME, "604800"),
    entry(&["fn"], &["fortnight"], TIME, "1209600"),
    entry(&["mo"], &["month"], TIME, "2629800"),
    entry(&["yr", "y"], &["year"], TIME, "31557600"),
    entry(&["decade"], &["decade"], TIME, "315576000"),
    entry(&["century"], &["century", "centuries"], TIME, "3155760000"),
    entry(&["K"], &["kelvin"], TEMPERATURE, "1").metric(),
    entry(&["degC", "°C", "℃", "C"], &["degree celsius", "degrees celsius", "celsius", "centigrade"], TEMPERATURE, "1")
        .offset("273.15"),
    entry(&["degF", "°F", "℉", "F"], &["degree fahrenheit", "degrees fahrenheit", "fahrenheit"], TEMPERATURE, "5/9")
        .offset("459.67*5/9"),
    entry(&["degR", "°R"], &["degree rankine", "degrees rankine", "rankine"], TEMPERATURE, "5/9"),
    entry(&["kn", "kts"], &["knot"], SPEED, "1852/3600"),
    entry(&["mph"], &["mph"], SPEED, "0.44704"),
    entry(&["kph", "kmh"], &["kph"], SPEED, "1000/3600"),
    entry(&["c"], &["speed of light"], SPEED, "299792458"),
    entry(&["g0"], &["standard gravity"], ACCELERATION, "9.80665"),
    entry(&["N"], &["newton"], FORCE, "1").metric(),
    entry(&["lbf"], &["pound force", "pounds force"], FORCE, "0.45359237*9.80665"),
    entry(&["kgf", "kp"], &["kilogram force", "kilograms force", "kilopond"], FORCE, "9.80665"),
    entry(&["dyn"], &["dyne"], FORCE, "0.00001"),
    entry(&["Pa"], &["pascal"], PRESSURE, "1").metric(),
    entry(&["bar"], &["bar"], PRESSURE, "100000").metric(),
    entry(&["atm"], &["atmosphere", "standard atmosphere"], PRESSURE, "101325"),
    entry(&["at"], &["technical atmosphere"], PRESSURE, "98066.5"),
    entry(
        &["psi"],
        &["psi", "pound per square inch", "pounds per square inch"],
        PRESSURE,
        "0.45359237*9.80665/0.0254/0.0254",
    ),
    entry(&["Torr"], &["torr"], PRESSURE, "101325/760"),
    entry(
        &["mmHg"],
        &["millimetre of mercury", "millimetres of mercury", "millimeters of mercury"],
        PRESSURE,
        "133.322387415",
    ),
    entry(&["inHg"], &["inch of mercury", "inches of mercury"], PRESSURE, "3386.388640341"),
    entry(&["cmH2O"], &["centimetre of water", "centimetres of water", "centimeters of water"], PRESSURE, "98.0665"),
    entry(&["J"], &["joule"], ENERGY, "1").metric(),
    entry(&["Wh"], &["watt hour"], ENERGY, "3600").metric(),
    entry(&["cal"], &["calorie", "thermochemical calorie"], ENERGY, "4.184").metric(),
    entry(&["Cal"], &["food calorie"], ENERGY, "4184"),
    entry(&["Btu", "BTU"], &["btu", "british thermal unit"], ENERGY, "1055.05585262"),
    entry(&["eV"], &["electronvolt", "electron volt"], ENERGY, "0.0000000000000000001602176634").metric(),
    entry(&["erg"], &["erg"], ENERGY, "0.0000001"),
    entry(&["ftlb"], &["foot pound", "foot pounds", "ft lb", "ft lbf"], ENERGY, "0.3048*0.45359237*9.80665"),
    entry(&["tTNT"], &["ton of tnt", "tons of tnt"], ENERGY, "4184000000").metric(),
    entry(&["W"], &["watt"], POWER, "1").metric(),
    entry(&["hp"], &["horsepower", "mechanical horsepower"], POWER, "550*0.3048*0.45359237*9.80665"),
    entry(&["PS"], &["metric horsepower"], POWER, "75*9.80665"),
    entry(&["Hz"], &["hertz"], FREQUENCY, "1").metric(),
    entry(&["rad"], &["radian"], ANGLE, "1").metric(),
    entry(&["deg", "°"], &["degree"], ANGLE, "pi/180"),
    entry(&["arcmin", "′", "'"], &["arcminute", "minute of arc", "minutes of arc"], ANGLE, "pi/10800"),
    entry(&["arcsec"], &["arcsecond", "second of arc", "seconds of arc"], ANGLE, "pi/648000").metric(),
    entry(&["rev"], &["turn", "revolution"], ANGLE, "2*pi"),
    entry(&["gon", "grad"], &["gradian", "gon"], ANGLE, "pi/200"),
    entry(&["rpm"], &["rpm", "revolution per minute", "revolutions per minute"], ANGULAR_SPEED, "pi/30"),
    entry(&["b", "bit"], &["bit"], DATA, "1").data(),
    entry(&["B"], &["byte", "octet"], DATA, "8").data(),
    entry(&["nibble"], &["nibble"], DATA, "4"),
    entry(&["bps"], &["bit per second", "bits per second"], DATA_RATE, "1").data(),
    entry(&["Bps"], &["byte per second", "bytes per second"], DATA_RATE, "8").data(),
];
