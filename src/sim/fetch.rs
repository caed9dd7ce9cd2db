//! What is read next, fetched into the nearest cache while something else is still computed.
//!
//! Where what is gone through is more than the caches hold, waiting for it takes as long
//! as what is done with it. Nothing but time depends on it: processors that cannot be asked for
//! it go without.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::_MM_HINT_T0;

#[cfg(target_arch = "x86_64")]
use pulp::core_arch::x86::Sse;

/// What caches hold at a time.
const LINE_BYTES: usize = 64;

#[derive(Clone, Copy)]
pub struct Fetch {
    #[cfg(target_arch = "x86_64")]
    sse: Option<Sse>,
}

impl Fetch {
    #[inline(always)]
    pub fn of_processor() -> Self {
        Fetch {
            #[cfg(target_arch = "x86_64")]
            sse: Sse::try_new(),
        }
    }

    /// All lines that it lies on.
    #[inline(always)]
    pub fn all<T>(self, of: Option<&T>) {
        let Some(of) = of else { return };
        for line in 0..size_of::<T>().div_ceil(LINE_BYTES) {
            self.line(of, line);
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn line<T>(self, of: &T, line: usize) {
        if let Some(sse) = self.sse {
            let begins = std::ptr::from_ref(of).cast::<i8>();
            sse._mm_prefetch::<_MM_HINT_T0>(begins.wrapping_add(line * LINE_BYTES));
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    fn line<T>(self, _: &T, _: usize) {}
}
