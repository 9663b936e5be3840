//! More calls side by side than there may be calls.

use attack_kit::Tried;

pub fn attack(target: &str) -> Tried {
    let requests: Vec<_> = (0..5000).map(|_| crate::request(target, "{}")).collect();
    let answers = crate::skills::call_all(&requests);
    let made = answers.iter().filter(|it| matches!(it, Err(crate::skills::Error::Unavailable(_)))).count();
    let refused = answers.iter().filter(|it| matches!(it, Err(crate::skills::Error::Limit(_)))).count();
    if made + refused == requests.len() { Err(format!("{made} made")) } else { Ok(format!("{answers:?}")) }
}
