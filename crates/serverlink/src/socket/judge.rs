//! Who judges the credentials of this socket's peers.

use std::sync::Arc;

use serverlink_driver::Key;
use serverlink_zmtp::mechanism::Credentials;

use super::core::Core;
use crate::options::Options;
use crate::security::{Answer, AuthRequest, Opinion};
use crate::sync::later::run_later;
use crate::zap;

impl Core {
    /// Whether somebody may have to be asked about a peer that came where these options hold.
    pub(crate) fn judges_credentials(&self, options: &Options) -> bool {
        match options.security.is_none() {
            true => !self.is_internal && (options.authenticator.is_some() || !options.zap_domain.is_empty()),
            false => options.security.is_server(),
        }
    }

    /// Finds somebody to judge a peer, and has him asked.
    pub(crate) fn have_judged(
        self: &Arc<Self>,
        options: &Options,
        connection: Key,
        request: AuthRequest,
    ) -> Opinion {
        let Some(home) = self.home.get() else { return Opinion::Nobody };
        let answer = || Answer::new(home, connection);
        let is_plain = matches!(request.credentials, Credentials::Plain { .. });
        let has_domain = !options.zap_domain.is_empty();
        let of_context = || self.context.authenticator.get().cloned();
        if let Some(authenticator) = options.authenticator.clone().or_else(of_context) {
            let answer = answer();
            run_later(move || authenticator.judge(request, answer));
            return Opinion::Later(None);
        }
        // As libzmq has it: whoever enforces domains and names none wants no handler.
        if (is_plain || has_domain || !options.zap_enforce_domain)
            && let Some(opinion) = zap::ask(&self.context, request, answer)
        {
            return opinion;
        }
        if is_plain || (has_domain && options.zap_enforce_domain) {
            Opinion::Nobody
        } else {
            Opinion::Allowed
        }
    }
}
