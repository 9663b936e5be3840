//! Plain wit-bindgen, no SDK of any host: the component "from elsewhere" of the tests.

use exports::acme::warehouse::stock::{Guest as Stock, Item};

wit_bindgen::generate!({ world: "warehouse", path: "wit" });

struct Warehouse;

impl Stock for Warehouse {
    fn same(items: Vec<Item>) -> Vec<Item> {
        items
    }

    fn weigh(items: Vec<Item>, factor: f64) -> Result<f64, String> {
        if items.is_empty() {
            return Err("there is nothing to weigh".to_owned());
        }
        Ok(items.iter().map(|item| item.delta as f64 * factor).sum())
    }
}

impl Guest for Warehouse {
    fn version() -> String {
        "2.3.0".to_owned()
    }
}

export!(Warehouse);
