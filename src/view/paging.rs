//! Lists, looked up a little at a time: whoever searches for a few among many lets go of
//! what they look at after each [`AT_ONCE`] candidates, so that the publisher, and with it
//! the tick, never waits for a whole search.

use super::reading::Page;

/// Candidates that are looked at under one lock.
pub(super) const AT_ONCE: usize = 4_096;

/// What one look found.
pub(super) struct Look<T, C> {
    pub(super) found: Vec<T>,
    /// `None` where there are no more candidates.
    pub(super) go_on_after: Option<C>,
}

impl<T, C: Copy> Look<T, C> {
    /// Those of the candidates that `read` makes something of, until `wanted` are found or
    /// `at_once` were looked at.
    pub(super) fn among(
        candidates: impl Iterator<Item = C>,
        wanted: usize,
        at_once: usize,
        mut read: impl FnMut(C) -> Option<T>,
    ) -> Self {
        let mut found = Vec::new();
        for (index, candidate) in candidates.enumerate() {
            found.extend(read(candidate));
            if found.len() == wanted || index + 1 == at_once {
                return Look {
                    found,
                    go_on_after: Some(candidate),
                };
            }
        }
        Look {
            found,
            go_on_after: None,
        }
    }
}

/// Looks, each time from the first after what was looked at and for at most so many, until
/// the page is full or all were looked at.
pub(super) fn page<T, C: Copy>(
    after: Option<C>,
    limit: usize,
    id_of: impl Fn(&T) -> C,
    mut look: impl FnMut(Option<C>, usize) -> Look<T, C>,
) -> Page<T, C> {
    let mut items = Vec::new();
    let mut from = after;
    // One more than fits tells whether there is a next page.
    while items.len() <= limit {
        let Look { found, go_on_after } = look(from, limit + 1 - items.len());
        items.extend(found);
        if go_on_after.is_none() {
            break;
        }
        from = go_on_after;
    }
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(id_of) } else { None };
    Page { items, next }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pages_hold_all_that_is_wanted_once_and_no_look_is_long(
            wanted in proptest::collection::btree_set(0_u32..200, 0..60),
            limit in 1_usize..10,
            at_once in 1_usize..10,
        ) {
            let mut seen = Vec::new();
            let mut after = None;
            loop {
                let page = page(after, limit, |&found| found, |from, room| {
                    let mut looked_at = 0;
                    let candidates = from.map_or(0, |from| from + 1)..200;
                    let look = Look::among(candidates, room, at_once, |candidate| {
                        looked_at += 1;
                        wanted.contains(&candidate).then_some(candidate)
                    });
                    assert!(looked_at <= at_once && look.found.len() <= room);
                    look
                });
                prop_assert!(page.next.is_none() || page.items.len() == limit);
                seen.extend(page.items);
                match page.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
            prop_assert_eq!(seen, wanted.into_iter().collect::<Vec<_>>());
        }
    }
}
