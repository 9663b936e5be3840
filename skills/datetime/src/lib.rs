//! Dates, times and zones as tools.

mod arithmetic;
mod business;
mod failure;
mod iso_week;
mod limits;
mod local;
mod moment;
mod reading;
mod recur;
mod unix;
mod writing;
mod zone;
mod zone_info;

/// The types that the component's interface defines.
mod bindings {
    wit_bindgen::generate!({ world: "skill", path: "wit" });

    pub use exports::bailiwick::datetime::tools::*;

    use super::Datetime;
    export!(Datetime);
}

use bindings::{
    BusinessAnswer, BusinessQuestion, Conversion, Disambiguation, Failure, Guest, InputFormat, Interval, Moment,
    Occurrences, OutputFormat, Parsed, Sum, Unit, Weekday, ZoneState,
};
use limits::MAX_ZONES;
use reading::ReadingZone;

struct Datetime;

impl Guest for Datetime {
    fn now(zone: Option<String>) -> Result<Moment, Failure> {
        let zone = ReadingZone::or_utc(zone.as_deref())?;
        let now = reading::moment("now", &zone, Disambiguation::Reject)?;
        Ok(moment::describe(&now.zoned))
    }

    fn convert(
        when: String,
        zone: Option<String>,
        to: Vec<String>,
        disambiguation: Option<Disambiguation>,
    ) -> Result<Conversion, Failure> {
        if !(1..=MAX_ZONES).contains(&to.len()) {
            return Err(Failure::InvalidInput(format!("to holds {} zones; expected 1 to {MAX_ZONES}", to.len())));
        }
        let zone = ReadingZone::required(zone.as_deref())?;
        let source = reading::moment(&when, &zone, or_reject(disambiguation))?;
        let converted = to
            .iter()
            .map(|name| {
                let zone = zone::find(name)?;
                Ok(moment::describe(&source.zoned.with_time_zone(zone)))
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        Ok(Conversion { source: moment::describe(&source.zoned), resolution: source.resolution, converted })
    }

    fn parse(
        text: String,
        format: Option<InputFormat>,
        zone: Option<String>,
        disambiguation: Option<Disambiguation>,
    ) -> Result<Parsed, Failure> {
        let zone = ReadingZone::required(zone.as_deref())?;
        let disambiguation = or_reject(disambiguation);
        let read = reading::formatted(&text, format.as_ref(), &zone, disambiguation)?;
        Ok(Parsed { moment: moment::describe(&read.zoned), resolution: read.resolution })
    }

    fn format(
        when: String,
        format: OutputFormat,
        zone: Option<String>,
        disambiguation: Option<Disambiguation>,
    ) -> Result<String, Failure> {
        let zone = ReadingZone::or_utc(zone.as_deref())?;
        let read = reading::moment(&when, &zone, or_reject(disambiguation))?;
        writing::write(&read.zoned, &format)
    }

    fn add(
        when: String,
        span: String,
        zone: Option<String>,
        disambiguation: Option<Disambiguation>,
    ) -> Result<Sum, Failure> {
        let disambiguation = disambiguation.unwrap_or(Disambiguation::Compatible);
        arithmetic::add(&when, &span, zone.as_deref(), disambiguation)
    }

    fn difference(
        start: String,
        end: String,
        zone: Option<String>,
        largest: Option<Unit>,
        disambiguation: Option<Disambiguation>,
    ) -> Result<Interval, Failure> {
        let largest = largest.unwrap_or(Unit::Day);
        let disambiguation = or_reject(disambiguation);
        arithmetic::difference(&start, &end, zone.as_deref(), largest, disambiguation)
    }

    fn business_days(
        question: BusinessQuestion,
        weekend: Option<Vec<Weekday>>,
        holidays: Option<Vec<String>>,
    ) -> Result<BusinessAnswer, Failure> {
        let holidays = holidays.unwrap_or_default();
        business::answer(&question, weekend.as_deref(), &holidays)
    }

    fn recur(
        rule: String,
        start: String,
        zone: Option<String>,
        max: Option<u32>,
        after: Option<String>,
        exclude: Option<Vec<String>>,
    ) -> Result<Occurrences, Failure> {
        recur::occurrences(recur::Request {
            rule: &rule,
            start: &start,
            zone: zone.as_deref(),
            max,
            after: after.as_deref(),
            exclude: &exclude.unwrap_or_default(),
        })
    }

    fn zone_info(zone: String, at: Option<String>) -> Result<ZoneState, Failure> {
        zone_info::describe(&zone, at.as_deref())
    }
}

fn or_reject(disambiguation: Option<Disambiguation>) -> Disambiguation {
    disambiguation.unwrap_or(Disambiguation::Reject)
}
