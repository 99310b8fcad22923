//! Sessions that the runs of a series share.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::Close;

/// Maximum number that stays open: a series that goes from server to server must not leave a session on each.
const AT_MOST: usize = 16;

/// The open resources, in the order of their last use.
#[derive(Default)]
pub struct Shared(RefCell<VecDeque<Rc<dyn Lasting>>>);

impl Shared {
    /// Returns the first `T` that `fits`.
    pub(crate) fn find<T: Close + 'static>(&self, fits: impl Fn(&T) -> bool) -> Option<Rc<T>> {
        let mut open = self.0.borrow_mut();
        let (at, found) = open.iter().enumerate().find_map(|(at, thing)| {
            let thing = Rc::clone(thing).any().downcast::<T>().ok()?;
            fits(&thing).then_some((at, thing))
        })?;
        if let Some(used) = open.remove(at) {
            open.push_back(used);
        }
        Some(found)
    }

    /// Keeps `thing` open.
    pub(crate) fn keep<T: Close + 'static>(&self, thing: Rc<T>) {
        self.0.borrow_mut().push_back(thing);
    }

    /// Closes what was not used for longest, if too much is open. Called between two runs.
    pub async fn trim(&self) {
        self.close_down_to(AT_MOST).await;
    }

    /// Closes everything.
    pub async fn close(&self) {
        self.close_down_to(0).await;
    }

    async fn close_down_to(&self, count: usize) {
        let excess = {
            let mut open = self.0.borrow_mut();
            let excess = open.len().saturating_sub(count);
            open.drain(..excess).collect::<Vec<_>>()
        };
        // At once: each may take its seconds.
        futures_util::future::join_all(excess.iter().map(|thing| thing.close())).await;
    }
}

/// [`Close`], of a type that is not known.
trait Lasting {
    fn close(&self) -> LocalBoxFuture<'_, ()>;
    fn any(self: Rc<Self>) -> Rc<dyn Any>;
}

impl<T: Close + 'static> Lasting for T {
    fn close(&self) -> LocalBoxFuture<'_, ()> {
        Close::close(self).boxed_local()
    }
    fn any(self: Rc<Self>) -> Rc<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::{AT_MOST, Shared};
    use crate::Close;

    type Closed = Rc<RefCell<Vec<usize>>>;

    struct Door(usize, Closed);

    impl Close for Door {
        async fn close(&self) {
            self.1.borrow_mut().push(self.0);
        }
    }

    struct Gate;

    impl Close for Gate {
        async fn close(&self) {}
    }

    #[tokio::test]
    async fn what_fits_is_found_and_what_was_not_used_for_longest_is_closed() {
        let (shared, closed) = (Shared::default(), Closed::default());
        for number in 0..AT_MOST {
            shared.keep(Rc::new(Door(number, Rc::clone(&closed))));
        }
        shared.trim().await;
        assert!(closed.borrow().is_empty());

        assert_eq!(shared.find::<Door>(|door| door.0 == 0).map(|door| door.0), Some(0));
        assert!(shared.find::<Door>(|door| door.0 == AT_MOST).is_none());
        assert!(shared.find::<Gate>(|_| true).is_none());
        shared.keep(Rc::new(Gate));
        shared.trim().await;
        assert_eq!(*closed.borrow(), [1]);

        shared.close().await;
        let last = closed.borrow().clone();
        assert_eq!(last.len(), AT_MOST);
        assert_eq!(last.last(), Some(&0));
    }
}
