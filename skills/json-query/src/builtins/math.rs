//! jq's functions from C's `math.h`, over doubles.

use super::Table;
use jaq_core::Error;
use jaq_core::native::{bome, v};
use jaq_json::Val;
use jaq_std::ValT as _;

/// `. | f`
macro_rules! unary {
    ($name:literal, $f:expr) => {
        ($name, v(0), |cv| bome(double(&cv.1).map(|x| Val::from($f(x)))))
    };
}

/// `f(x; y)`. Arguments come off a stack, so the last comes first.
macro_rules! binary {
    ($name:literal, $f:expr) => {
        ($name, v(2), |mut cv| {
            let (y, x) = (cv.0.pop_var(), cv.0.pop_var());
            bome(double(&x).and_then(|x| Ok(Val::from($f(x, double(&y)?)))))
        })
    };
}

/// `f(x; n)` with an integer `n`.
macro_rules! scaled {
    ($name:literal, $f:expr) => {
        ($name, v(2), |mut cv| {
            let (n, x) = (cv.0.pop_var(), cv.0.pop_var());
            bome(double(&x).and_then(|x| Ok(Val::from($f(x, int(&n)?)))))
        })
    };
}

/// `f(n; x)` with an integer `n`.
macro_rules! ordered {
    ($name:literal, $f:expr) => {
        ($name, v(2), |mut cv| {
            let (x, n) = (cv.0.pop_var(), cv.0.pop_var());
            bome(int(&n).and_then(|n| Ok(Val::from($f(n, double(&x)?)))))
        })
    };
}

pub fn table() -> Table<53> {
    [
        unary!("acos", libm::acos),
        unary!("acosh", libm::acosh),
        unary!("asin", libm::asin),
        unary!("asinh", libm::asinh),
        unary!("atan", libm::atan),
        unary!("atanh", libm::atanh),
        unary!("cbrt", libm::cbrt),
        unary!("cos", libm::cos),
        unary!("cosh", libm::cosh),
        unary!("erf", libm::erf),
        unary!("erfc", libm::erfc),
        unary!("exp", libm::exp),
        unary!("exp10", libm::exp10),
        unary!("exp2", libm::exp2),
        unary!("expm1", libm::expm1),
        unary!("fabs", libm::fabs),
        unary!("j0", libm::j0),
        unary!("j1", libm::j1),
        unary!("lgamma", libm::lgamma),
        unary!("log", libm::log),
        unary!("log10", libm::log10),
        unary!("log1p", libm::log1p),
        unary!("log2", libm::log2),
        unary!("nearbyint", libm::rint),
        unary!("rint", libm::rint),
        unary!("sin", libm::sin),
        unary!("sinh", libm::sinh),
        unary!("sqrt", libm::sqrt),
        unary!("tan", libm::tan),
        unary!("tanh", libm::tanh),
        unary!("tgamma", libm::tgamma),
        unary!("trunc", libm::trunc),
        unary!("y0", libm::y0),
        unary!("y1", libm::y1),
        binary!("atan2", libm::atan2),
        binary!("copysign", libm::copysign),
        binary!("fdim", libm::fdim),
        binary!("fmax", libm::fmax),
        binary!("fmin", libm::fmin),
        binary!("fmod", libm::fmod),
        binary!("hypot", libm::hypot),
        binary!("nextafter", libm::nextafter),
        binary!("pow", libm::pow),
        binary!("remainder", libm::remainder),
        scaled!("ldexp", libm::ldexp),
        scaled!("scalbln", libm::scalbn),
        ordered!("jn", libm::jn),
        ordered!("yn", libm::yn),
        ("fma", v(3), |mut cv| {
            let (z, y, x) = (cv.0.pop_var(), cv.0.pop_var(), cv.0.pop_var());
            bome(double(&x).and_then(|x| Ok(Val::from(libm::fma(x, double(&y)?, double(&z)?)))))
        }),
        ("ilogb", v(0), |cv| bome(double(&cv.1).map(|x| integer(libm::ilogb(x))))),
        ("frexp", v(0), |cv| bome(double(&cv.1).map(libm::frexp).map(|(x, n)| pair(Val::from(x), integer(n))))),
        ("modf", v(0), |cv| bome(double(&cv.1).map(libm::modf).map(|(x, y)| pair(Val::from(x), Val::from(y))))),
        ("lgamma_r", v(0), |cv| bome(double(&cv.1).map(libm::lgamma_r).map(|(x, n)| pair(Val::from(x), integer(n))))),
    ]
}

fn double(value: &Val) -> Result<f64, Error<Val>> {
    value.as_f64().ok_or_else(|| Error::typ(value.clone(), "number"))
}

fn int(value: &Val) -> Result<i32, Error<Val>> {
    let small = value.as_isize().and_then(|i| i32::try_from(i).ok());
    small.ok_or_else(|| Error::typ(value.clone(), "integer of 32 bits"))
}

fn integer(n: i32) -> Val {
    Val::Num(jaq_json::Num::from_integral(n))
}

fn pair(a: Val, b: Val) -> Val {
    [a, b].into_iter().collect()
}
