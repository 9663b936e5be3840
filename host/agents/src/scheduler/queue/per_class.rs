//! One value for each class.

use std::iter::Sum;
use std::ops::{Index, IndexMut};

use bailiwick_domain::run::Class;

/// One value for each class, which a class is an index of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerClass<V> {
    /// The value of [`Class::Interactive`].
    pub interactive: V,
    /// The value of [`Class::Normal`].
    pub normal: V,
    /// The value of [`Class::Batch`].
    pub batch: V,
}

impl<V> PerClass<V> {
    /// What `value` says of each class.
    pub fn from_fn(mut value: impl FnMut(Class) -> V) -> Self {
        Self { interactive: value(Class::Interactive), normal: value(Class::Normal), batch: value(Class::Batch) }
    }
}

impl<V: Copy + Sum> PerClass<V> {
    /// All three together.
    pub fn sum(&self) -> V {
        [self.interactive, self.normal, self.batch].into_iter().sum()
    }
}

impl<V> Index<Class> for PerClass<V> {
    type Output = V;

    fn index(&self, class: Class) -> &V {
        match class {
            Class::Interactive => &self.interactive,
            Class::Normal => &self.normal,
            Class::Batch => &self.batch,
        }
    }
}

impl<V> IndexMut<Class> for PerClass<V> {
    fn index_mut(&mut self, class: Class) -> &mut V {
        match class {
            Class::Interactive => &mut self.interactive,
            Class::Normal => &mut self.normal,
            Class::Batch => &mut self.batch,
        }
    }
}
