//! Property: whatever value of whatever type is written as JSON, it reads back as the same value.

use bailiwick_domain::wit::{Case, Field, WitType};
use proptest::prelude::*;
use wasmtime::component::Val;

use super::{lift, lower_arguments};

fn types() -> impl Strategy<Value = WitType> {
    let leaf = prop_oneof![
        Just(WitType::Bool),
        Just(WitType::S8),
        Just(WitType::U8),
        Just(WitType::S16),
        Just(WitType::U16),
        Just(WitType::S32),
        Just(WitType::U32),
        Just(WitType::S64),
        Just(WitType::U64),
        Just(WitType::F32),
        Just(WitType::F64),
        Just(WitType::Char),
        Just(WitType::String),
        (1..9_usize).prop_map(|n| WitType::Enum { docs: None, cases: cases(vec![None; n]) }),
        (1..9_usize).prop_map(|n| WitType::Flags { docs: None, flags: cases(vec![None; n]) }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let maybe = || proptest::option::of(inner.clone());
        prop_oneof![
            inner.clone().prop_map(|ty| WitType::List(Box::new(ty))),
            inner.clone().prop_map(|ty| WitType::Option(Box::new(ty))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(WitType::Tuple),
            prop::collection::vec(inner.clone(), 1..4).prop_map(record),
            prop::collection::vec(maybe(), 1..4)
                .prop_map(|payloads| WitType::Variant { docs: None, cases: cases(payloads) }),
            (maybe(), maybe()).prop_map(|(ok, err)| WitType::Result { ok: ok.map(Box::new), err: err.map(Box::new) }),
        ]
    })
}

fn cases(payloads: Vec<Option<WitType>>) -> Vec<Case> {
    let case = |(i, ty)| Case { name: format!("case-{i}"), ty, docs: None };
    payloads.into_iter().enumerate().map(case).collect()
}

fn record(types: Vec<WitType>) -> WitType {
    let field = |(i, ty)| Field { name: format!("field-{i}"), ty, docs: None };
    WitType::Record { docs: None, fields: types.into_iter().enumerate().map(field).collect() }
}

fn values(ty: &WitType) -> BoxedStrategy<Val> {
    match ty {
        WitType::Bool => any::<bool>().prop_map(Val::Bool).boxed(),
        WitType::S8 => any::<i8>().prop_map(Val::S8).boxed(),
        WitType::U8 => any::<u8>().prop_map(Val::U8).boxed(),
        WitType::S16 => any::<i16>().prop_map(Val::S16).boxed(),
        WitType::U16 => any::<u16>().prop_map(Val::U16).boxed(),
        WitType::S32 => any::<i32>().prop_map(Val::S32).boxed(),
        WitType::U32 => any::<u32>().prop_map(Val::U32).boxed(),
        WitType::S64 => any::<i64>().prop_map(Val::S64).boxed(),
        WitType::U64 => any::<u64>().prop_map(Val::U64).boxed(),
        WitType::F32 => prop::num::f32::ANY.prop_map(Val::Float32).boxed(),
        WitType::F64 => prop::num::f64::ANY.prop_map(Val::Float64).boxed(),
        WitType::Char => any::<char>().prop_map(Val::Char).boxed(),
        WitType::String => any::<String>().prop_map(Val::String).boxed(),
        WitType::List(element) => prop::collection::vec(values(element), 0..4).prop_map(Val::List).boxed(),
        WitType::Tuple(types) => types.iter().map(values).collect::<Vec<_>>().prop_map(Val::Tuple).boxed(),
        WitType::Option(inner) => {
            proptest::option::of(values(inner)).prop_map(|value| Val::Option(value.map(Box::new))).boxed()
        }
        WitType::Result { ok, err } => prop_oneof![
            payload(ok.as_deref()).prop_map(|value| Val::Result(Ok(value))),
            payload(err.as_deref()).prop_map(|value| Val::Result(Err(value))),
        ]
        .boxed(),
        WitType::Record { fields, .. } => {
            let names: Vec<_> = fields.iter().map(|field| field.name.clone()).collect();
            let values: Vec<_> = fields.iter().map(|field| values(&field.ty)).collect();
            values.prop_map(move |values| Val::Record(names.iter().cloned().zip(values).collect())).boxed()
        }
        WitType::Variant { cases, .. } => {
            let case = |case: &Case| {
                let name = case.name.clone();
                payload(case.ty.as_ref()).prop_map(move |value| Val::Variant(name.clone(), value)).boxed()
            };
            proptest::strategy::Union::new(cases.iter().map(case)).boxed()
        }
        WitType::Enum { cases, .. } => {
            let names: Vec<_> = cases.iter().map(|case| case.name.clone()).collect();
            prop::sample::select(names).prop_map(Val::Enum).boxed()
        }
        WitType::Flags { flags, .. } => {
            let names: Vec<_> = flags.iter().map(|flag| flag.name.clone()).collect();
            prop::sample::subsequence(names.clone(), 0..=names.len()).prop_map(Val::Flags).boxed()
        }
    }
}

fn payload(ty: Option<&WitType>) -> BoxedStrategy<Option<Box<Val>>> {
    match ty {
        Some(ty) => values(ty).prop_map(|value| Some(Box::new(value))).boxed(),
        None => Just(None).boxed(),
    }
}

proptest! {
    #[test]
    fn json_reads_back_as_the_same_value((ty, value) in types().prop_flat_map(|ty| { let v = values(&ty); (Just(ty), v) })) {
        let text = lift(&ty, &value, usize::MAX).expect("every value can be written");
        let json = serde_json::from_str(&format!("{{\"x\":{text}}}")).expect("what is written is JSON");
        let params = [Field { name: "x".to_owned(), ty, docs: None }];
        let back = lower_arguments(&params, &json).expect("what was written fits");
        // Written again, because NaN is not equal to itself.
        prop_assert_eq!(lift(&params[0].ty, &back[0], usize::MAX).expect("written"), text);
        if !format!("{value:?}").contains("NaN") {
            prop_assert_eq!(&back[0], &value);
        }
    }
}
