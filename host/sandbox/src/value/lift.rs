//! Values to JSON text, within a limit of bytes.

use bailiwick_domain::wit::WitType;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wasmtime::component::Val;

use super::MAX_SAFE_INTEGER;

/// Why a value could not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LiftError {
    /// The text would be longer than the limit.
    TooLarge,
    /// The value is not of the type. The engine checks values as they leave
    /// the guest, so that this would be a fault of the host.
    Type(&'static str),
}

/// Writes `value` of type `ty` as JSON of at most `max` bytes.
pub(crate) fn lift(ty: &WitType, value: &Val, max: usize) -> Result<String, LiftError> {
    let mut writer = Writer { out: String::new(), max };
    writer.value(ty, value)?;
    Ok(writer.out)
}

struct Writer {
    out: String,
    max: usize,
}

impl Writer {
    fn value(&mut self, ty: &WitType, value: &Val) -> Result<(), LiftError> {
        match (ty, value) {
            (WitType::Bool, Val::Bool(v)) => self.raw(if *v { "true" } else { "false" }),
            (WitType::S8, Val::S8(v)) => self.display(v),
            (WitType::U8, Val::U8(v)) => self.display(v),
            (WitType::S16, Val::S16(v)) => self.display(v),
            (WitType::U16, Val::U16(v)) => self.display(v),
            (WitType::S32, Val::S32(v)) => self.display(v),
            (WitType::U32, Val::U32(v)) => self.display(v),
            (WitType::S64, Val::S64(v)) => self.wide(v, v.unsigned_abs()),
            (WitType::U64, Val::U64(v)) => self.wide(v, *v),
            (WitType::F32, Val::Float32(v)) => self.float(f64::from(*v), v),
            (WitType::F64, Val::Float64(v)) => self.float(*v, v),
            (WitType::Char, Val::Char(v)) => self.string(v.encode_utf8(&mut [0; 4])),
            (WitType::String, Val::String(v)) => self.string(v),
            (WitType::List(element), Val::List(items)) if **element == WitType::U8 => self.bytes(items),
            (WitType::List(element), Val::List(items)) => self.array(items.iter().map(|item| (&**element, item))),
            (WitType::Tuple(types), Val::Tuple(items)) => self.array(types.iter().zip(items)),
            (WitType::Option(_), Val::Option(None)) => self.raw("null"),
            (WitType::Option(inner), Val::Option(Some(value))) if inner.admits_null() => {
                self.entry("some", Some((inner, value)))
            }
            (WitType::Option(inner), Val::Option(Some(value))) => self.value(inner, value),
            (WitType::Result { ok, .. }, Val::Result(Ok(value))) => self.case("ok", ok.as_deref(), value.as_deref()),
            (WitType::Result { err, .. }, Val::Result(Err(value))) => {
                self.case("err", err.as_deref(), value.as_deref())
            }
            (WitType::Record { fields, .. }, Val::Record(values)) => self.record(fields, values),
            (WitType::Variant { cases, .. }, Val::Variant(name, payload)) => {
                let case = cases.iter().find(|case| case.name == *name).ok_or(LiftError::Type("variant"))?;
                match &case.ty {
                    None => self.string(name),
                    ty => self.case(name, ty.as_ref(), payload.as_deref()),
                }
            }
            (WitType::Enum { .. }, Val::Enum(name)) => self.string(name),
            (WitType::Flags { .. }, Val::Flags(names)) => self.flags(names),
            _ => Err(LiftError::Type(ty.name())),
        }
    }

    fn raw(&mut self, text: &str) -> Result<(), LiftError> {
        if self.out.len() + text.len() > self.max {
            return Err(LiftError::TooLarge);
        }
        self.out.push_str(text);
        Ok(())
    }

    fn display(&mut self, number: &impl ToString) -> Result<(), LiftError> {
        self.raw(&number.to_string())
    }

    fn wide(&mut self, number: &impl ToString, magnitude: u64) -> Result<(), LiftError> {
        if magnitude <= MAX_SAFE_INTEGER {
            return self.display(number);
        }
        let text = number.to_string();
        self.raw("\"")?;
        self.raw(&text)?;
        self.raw("\"")
    }

    /// `exact` is the number at its own width, so that an f32 is written with its own digits.
    fn float(&mut self, wide: f64, exact: &impl serde::Serialize) -> Result<(), LiftError> {
        match wide {
            _ if wide.is_nan() => self.raw("\"NaN\""),
            f64::INFINITY => self.raw("\"Infinity\""),
            f64::NEG_INFINITY => self.raw("\"-Infinity\""),
            _ => {
                let text = serde_json::to_string(exact).map_err(|_| LiftError::Type("float"))?;
                self.raw(&text)
            }
        }
    }

    fn string(&mut self, text: &str) -> Result<(), LiftError> {
        // Before escaping: a flood must not be escaped first and refused then.
        if self.out.len() + text.len() > self.max {
            return Err(LiftError::TooLarge);
        }
        let text = serde_json::to_string(text).map_err(|_| LiftError::Type("string"))?;
        self.raw(&text)
    }

    fn bytes(&mut self, items: &[Val]) -> Result<(), LiftError> {
        if self.out.len() + items.len() > self.max {
            return Err(LiftError::TooLarge);
        }
        let byte = |item: &Val| match item {
            Val::U8(byte) => Ok(*byte),
            _ => Err(LiftError::Type("list<u8>")),
        };
        let bytes: Vec<u8> = items.iter().map(byte).collect::<Result<_, _>>()?;
        self.raw("\"")?;
        self.raw(&STANDARD.encode(bytes))?;
        self.raw("\"")
    }

    fn array<'a>(&mut self, items: impl Iterator<Item = (&'a WitType, &'a Val)>) -> Result<(), LiftError> {
        self.raw("[")?;
        for (i, (ty, item)) in items.enumerate() {
            if i > 0 {
                self.raw(",")?;
            }
            self.value(ty, item)?;
        }
        self.raw("]")
    }

    fn record(&mut self, fields: &[bailiwick_domain::wit::Field], values: &[(String, Val)]) -> Result<(), LiftError> {
        self.raw("{")?;
        for (i, (field, (_, value))) in fields.iter().zip(values).enumerate() {
            if i > 0 {
                self.raw(",")?;
            }
            self.string(&field.name)?;
            self.raw(":")?;
            self.value(&field.ty, value)?;
        }
        self.raw("}")
    }

    fn flags(&mut self, names: &[String]) -> Result<(), LiftError> {
        self.raw("[")?;
        for (i, name) in names.iter().enumerate() {
            if i > 0 {
                self.raw(",")?;
            }
            self.string(name)?;
        }
        self.raw("]")
    }

    fn case(&mut self, name: &str, ty: Option<&WitType>, payload: Option<&Val>) -> Result<(), LiftError> {
        match (ty, payload) {
            (Some(ty), Some(payload)) => self.entry(name, Some((ty, payload))),
            (None, None) => self.entry(name, None),
            _ => Err(LiftError::Type("payload")),
        }
    }

    fn entry(&mut self, key: &str, value: Option<(&WitType, &Val)>) -> Result<(), LiftError> {
        self.raw("{")?;
        self.string(key)?;
        self.raw(":")?;
        match value {
            Some((ty, value)) => self.value(ty, value)?,
            None => self.raw("null")?,
        }
        self.raw("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_to_the_byte() {
        let value = Val::String("abc".to_owned());
        assert_eq!(lift(&WitType::String, &value, 5), Ok("\"abc\"".to_owned()));
        assert_eq!(lift(&WitType::String, &value, 4), Err(LiftError::TooLarge));
    }

    #[test]
    fn wide_integers_and_special_floats_are_text() {
        let lift = |ty, value| super::lift(&ty, &value, 100).expect("written");
        assert_eq!(lift(WitType::S64, Val::S64(i64::MIN)), "\"-9223372036854775808\"");
        assert_eq!(lift(WitType::U64, Val::U64(MAX_SAFE_INTEGER)), "9007199254740991");
        assert_eq!(lift(WitType::F64, Val::Float64(f64::NAN)), "\"NaN\"");
        assert_eq!(lift(WitType::F32, Val::Float32(0.1)), "0.1");
        assert_eq!(lift(WitType::F64, Val::Float64(-0.0)), "-0.0");
    }
}
