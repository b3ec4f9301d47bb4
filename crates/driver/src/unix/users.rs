//! Who belongs to which group.

use nix::unistd::{Gid, Group, Uid, User};

/// See [`is_member`](crate::is_member).
pub(crate) fn is_member(user: u32, group: u32) -> bool {
    let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
    let Ok(Some(user)) = User::from_uid(user) else { return false };
    user.gid == group || matches!(Group::from_gid(group), Ok(Some(group)) if group.mem.contains(&user.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_in_its_own_group_and_nobody_in_none() {
        assert!(is_member(0, 0));
        assert!(!is_member(0, 4_000_000_001));
        assert!(!is_member(4_000_000_001, 0));
    }
}
