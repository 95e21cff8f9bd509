//! How a callback of libuv, which is no generic function, finds the engine and the sink.

use super::interface::UvInterface;
use libuv_sys2::uv_loop_t;
use sockman::shared::Engine;
use std::any::Any;
use std::ptr;

/// What a read callback calls: delivers what `nread` and the buffer at `base` say to the connection with these bits.
///
/// # Safety
///
/// Both pointers are those of one [`Context`], during the `uv_run` that it was made for.
pub(super) type Deliver =
    unsafe fn(engine: *mut Engine<UvInterface>, sink: *mut (), conn: u64, nread: isize, base: *mut u8);

/// Lies on the stack of `wait`, and `uv_loop_t::data` points to it during one `uv_run`.
pub(super) struct Context {
    pub(super) engine: *mut Engine<UvInterface>,
    /// A `&mut` to the sink, whose type `deliver` knows.
    pub(super) sink: *mut (),
    pub(super) deliver: Deliver,
    /// How many times libuv called back with something new.
    pub(super) events: usize,
    /// A handler's panic: nothing is delivered any more.
    pub(super) panic: Option<Box<dyn Any + Send>>,
}

impl Context {
    /// The context of the `uv_run` that is under way on this loop; `None` while the loop is being closed.
    ///
    /// # Safety
    ///
    /// Called from a callback of that loop. The reference ends before the callback does, and before another is made.
    pub(super) unsafe fn of<'a>(run: *mut uv_loop_t) -> Option<&'a mut Context> {
        // SAFETY: libuv calls back with valid handles of valid loops, and keeps `data` as it was set: to null, or by
        // `Loop::run` for the length of `uv_run`, inside which callbacks run one after the other.
        unsafe { (*run).data.cast::<Context>().as_mut() }
    }
}

/// Puts a context where callbacks find it, and takes it away when dropped.
pub(super) struct Installed(*mut uv_loop_t);

impl Installed {
    /// # Safety
    ///
    /// The loop and the context outlive this.
    pub(super) unsafe fn new(run: *mut uv_loop_t, context: *mut Context) -> Self {
        // SAFETY: the loop is valid; `data` is for the user, and libuv does not touch it.
        unsafe { (*run).data = context.cast() };
        Installed(run)
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        // SAFETY: as in `new`; the loop is still there.
        unsafe { (*self.0).data = ptr::null_mut() };
    }
}
