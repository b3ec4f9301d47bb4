//! Whole topologies through everything that can happen to them.

use crate::seeds::for_each_seed;
use crate::town::{Shape, Town};

/// Anything may happen: what was promised holds, and afterwards everything heals by itself.
fn survives(test: &str, shape: Shape) {
    for_each_seed(test, |seed| {
        if let Err(complaint) = Town::new(seed, shape, false, None).live() {
            panic!("{complaint}");
        }
    });
}

/// Everything is slow, split, refused, cut off or suspended for a moment, and no connection that stands breaks: nothing is lost.
fn loses_nothing(test: &str, shape: Shape) {
    for_each_seed(test, |seed| {
        if let Err(complaint) = Town::new(seed, shape, true, None).live() {
            panic!("{complaint}");
        }
    });
}

macro_rules! topologies {
    ($($shape:ident: $survives:ident, $loses_nothing:ident;)*) => {$(
        #[test]
        fn $survives() {
            survives(stringify!($survives), Shape::$shape);
        }

        #[test]
        fn $loses_nothing() {
            loses_nothing(stringify!($loses_nothing), Shape::$shape);
        }
    )*};
}

topologies! {
    Pipeline: pipelines_survive, pipelines_lose_nothing;
    Broker: brokers_survive, brokers_lose_nothing;
    Tree: trees_survive, trees_lose_nothing;
    Pair: pairs_survive, pairs_lose_nothing;
    Names: names_survive, names_lose_nothing;
}
