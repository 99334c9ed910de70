//! How an instance is reached, by its configuration.

use crate::commerce::{Access, Auth};
use crate::config::{CommerceAuth, CommerceConfig};

pub fn commerce_access(config: &CommerceConfig) -> Access {
    let auth = match config.auth.clone() {
        CommerceAuth::OAuth1 { consumer_key, consumer_secret, access_token, access_token_secret } => {
            Auth::OAuth1 { consumer_key, consumer_secret, access_token, access_token_secret }
        }
        CommerceAuth::Bearer { token } => Auth::Bearer { token },
        CommerceAuth::Admin { username, password } => Auth::Admin { username, password },
        CommerceAuth::Ims { client_id, client_secret, org_id, token_url } => {
            Auth::Ims { client_id, client_secret, org_id, token_url }
        }
    };
    Access {
        base_url: config.base_url.clone(),
        auth,
        page_size: config.page_size,
        concurrency: config.concurrency,
        max_load_thousandths: config.max_load_thousandths,
    }
}
