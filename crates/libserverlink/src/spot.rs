//! SPOT: its functions are known, so that programs link, and every one says that it is not there yet.

use std::ffi::{c_int, c_void};

use serverlink_capi::errno::{ENOTSUP, fail};

use crate::border::{call, status};

macro_rules! not_there {
    ($($name:ident)*) => {$(
        /// Of what a caller passes nothing is looked at.
        #[unsafe(no_mangle)]
        pub extern "C" fn $name() -> c_int {
            status(|| fail(ENOTSUP))
        }
    )*};
}

not_there! {
    slk_spot_topic_create slk_spot_topic_route slk_spot_topic_destroy slk_spot_topic_exists slk_spot_topic_is_local
    slk_spot_subscribe slk_spot_subscribe_pattern slk_spot_unsubscribe slk_spot_publish slk_spot_recv slk_spot_bind
    slk_spot_cluster_add slk_spot_cluster_remove slk_spot_cluster_sync slk_spot_list_topics slk_spot_set_hwm slk_spot_fd
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_spot_new(_context: *mut c_void) -> *mut c_void {
    call(std::ptr::null_mut(), || fail(ENOTSUP))
}

/// There are none to be ended.
#[unsafe(no_mangle)]
pub extern "C" fn slk_spot_destroy(_place: *mut *mut c_void) {}

/// There are no lists to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn slk_spot_list_topics_free(_topics: *mut c_void, _count: usize) {}
