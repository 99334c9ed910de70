use bytes::Bytes;

use super::{classify, classify_ims, split_advice, stated_maximum};
use crate::commerce::recorded_tests::exchanges;
use crate::http::{Answer, Fault, HeaderMap, HeaderName};

fn answer(status: u16, body: &str) -> Answer {
    Answer::new(status, HeaderMap::new(), Bytes::copy_from_slice(body.as_bytes()))
}

#[test]
fn a_refused_sign_in_says_what_to_do() {
    let said = |message: &str| format!(r#"{{"message":"{message}"}}"#);
    let nonce = r#"{"message":"The nonce is already being used by the consumer with ID %1","parameters":["1"]}"#;
    let method = r#"{"message":"Signature method %1 is not supported","parameters":["HMAC-SHA1"]}"#;
    let missing =
        r#"{"message":"\"%fieldName\" is required. Enter and try again.","parameters":{"fieldName":"oauth_token"}}"#;
    let provider = r#"{"message":"Please use the 2fa provider-specific endpoints to obtain a token.",
        "parameters":{"active_providers":["google"]}}"#;
    for (status, body, server, advice) in [
        (401, &*said("The signature is invalid. Verify and try again."), "signature is invalid", "X-Forwarded-Proto"),
        (401, &said("A consumer having the specified key does not exist"), "specified key", "`consumer_key` is of no"),
        (401, &said("Consumer key is not the correct length"), "correct length", "`consumer_key` is cut"),
        (401, &said("Specified token does not exist"), "does not exist", "copy all four secrets again"),
        (400, &said("The token length is invalid. Check the length and try again."), "length", "`access_token` is cut"),
        (401, &said("Token is not associated with the specified consumer"), "not associated", "of two integrations"),
        (401, nonce, "consumer with ID 1", "another program shares the integration"),
        (401, &said("An error occurred validating the nonce"), "validating", "clock is more than 10 minutes ahead"),
        (400, method, "HMAC-SHA1", "changes the sign-in"),
        (400, missing, "\"oauth_token\" is required", "drops a part of the Authorization header"),
        (401, &said("The account sign-in was incorrect or your account is disabled"), "incorrect", "locked"),
        (400, provider, "2fa provider", "method = \"oauth1\""),
        (400, &said("Please ask an administrator with sufficient access to configure 2FA first"), "2FA", "oauth1"),
        (400, &said("You are required to configure personal Two-Factor Authorization"), "Two-Factor", "oauth1"),
        (400, &said("Failed to send the message. Please contact the administrator"), "message", "oauth1"),
    ] {
        let fault = classify(&answer(status, body)).unwrap_err();
        let text = fault.to_string();
        assert!(matches!(fault, Fault::Unauthorized { status: Some(is), .. } if is == status), "{fault:?}");
        assert!(text.contains(server) && text.contains(advice), "{text}");
        assert!(!text.ends_with('…'), "too long for its line: {text}");
        let (said, hint) = split_advice(&text);
        assert!(said.contains(server) && !said.ends_with(':'), "{said}");
        assert!(hint.is_some_and(|hint| hint.contains(advice)), "{hint:?}");
    }
}

#[test]
fn a_401_tells_all_of_its_meanings_and_the_resource() {
    let body = r#"{"message":"The consumer isn't authorized to access %resources.",
        "parameters":{"resources":"Magento_InventoryApi::stock_source_link"}}"#;
    let text = classify(&answer(401, body)).unwrap_err().to_string();
    for part in [
        "lacks the resource Magento_InventoryApi::stock_source_link",
        "the token is wrong or ended",
        "bearer tokens of integrations are off",
        "drops the Authorization header",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_clock_that_is_ahead_is_told_the_servers_time() {
    let headers =
        HeaderMap::from_iter([(HeaderName::from_static("date"), "Sun, 22 Nov 2026 01:00:00 GMT".parse().unwrap())]);
    let body = Bytes::from_static(br#"{"message":"An error occurred validating the nonce"}"#);
    let text = classify(&Answer::new(401, headers, body)).unwrap_err().to_string();
    assert!(text.ends_with("the shop's says Sun, 22 Nov 2026 01:00:00 GMT"), "{text}");
}

#[test]
fn a_refusal_of_something_else_is_no_refused_sign_in() {
    for (status, body) in [
        (400, r#"{"message":"\"%fieldName\" is required.","parameters":{"fieldName":"searchCriteria"}}"#),
        (404, r#"{"message":"The signature is invalid"}"#),
        (400, r#"{"message":"Decoding error."}"#),
        (403, "<html>blocked</html>"),
    ] {
        assert!(matches!(classify(&answer(status, body)), Err(Fault::Rejected(_))), "{body}");
    }
}

#[test]
fn the_identity_services_refusals_are_its_own() {
    for (status, body, expected) in [
        (400, r#"{"error":"invalid_client","error_description":"invalid client_id"}"#, "unauthorized"),
        (400, r#"{"error":"invalid_scope"}"#, "unauthorized"),
        (401, r#"{"error":"invalid_client"}"#, "unauthorized"),
        (429, r#"{"error":"too many requests"}"#, "transient"),
        (500, r#"{"error":"server_error"}"#, "transient"),
        (503, "<html>", "transient"),
        (404, "<html>", "rejected"),
        (200, r#"{"access_token":"x"}"#, "good"),
    ] {
        let verdict = classify_ims(&answer(status, body));
        if let Err(fault @ Fault::Unauthorized { .. }) = &verdict {
            let text = fault.to_string();
            assert!(text.contains("invalid_") && text.contains("`client_secret`") && !text.ends_with('…'), "{text}");
        }
        assert_eq!(kind(&verdict), expected, "{status} {body}");
    }
}

fn kind(verdict: &Result<(), Fault>) -> &'static str {
    match verdict {
        Ok(()) => "good",
        Err(Fault::Transient { .. }) => "transient",
        Err(Fault::Unauthorized { .. }) => "unauthorized",
        Err(Fault::Rejected(_)) => "rejected",
        Err(Fault::Nonsense { .. } | Fault::Exhausted { .. }) => "other",
    }
}

#[test]
fn messages_have_their_placeholders_filled() {
    for (status, body, expected) in [
        (
            400,
            r#"{"message":"\"%fieldName\" is required. Enter and try again.","parameters":{"fieldName":"qty"}}"#,
            "HTTP 400: \"qty\" is required. Enter and try again.",
        ),
        (400, r#"{"message":"The \"%1\" is %2","parameters":["name",3]}"#, "HTTP 400: The \"name\" is 3"),
        (404, "<html>", "HTTP 404: a page for people instead of an answer"),
        (418, "plain words\n", "HTTP 418: plain words"),
        (418, "", "HTTP 418: no message"),
        (
            418,
            r#"{"messages":{"error":[{"code":500,"message":"Server internal error."}]}}"#,
            "HTTP 418: Server internal error.",
        ),
    ] {
        assert_eq!(classify(&answer(status, body)).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_refused_page_size_names_the_largest() {
    let body =
        |max: &str| format!(r#"{{"message":"Maximum SearchCriteria pageSize is %max","parameters":{{"max":{max}}}}}"#);
    for (status, body, expected) in [
        (400, body("300"), Some(300)),
        (400, body("\"20\""), Some(20)),
        (400, body("0"), None),
        (404, r#"{"message":"No linked stock found"}"#.to_owned(), None),
    ] {
        let fault = classify(&answer(status, &body)).unwrap_err();
        assert_eq!(stated_maximum(&fault), expected, "{body}");
    }
}

#[test]
fn every_recorded_error_becomes_the_right_fault() {
    let mut faults = 0;
    for (file, exchange) in exchanges() {
        let verdict = classify(&answer(exchange.status, &exchange.body));
        let text = verdict.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let about = format!("{file}: {}: {text}", exchange.name);
        let sign_in = ["oauth ", "2FA"].iter().any(|start| exchange.name.starts_with(start))
            && !exchange.url.contains("/tfa/")
            && exchange.status == 400;
        let expected = match exchange.status {
            200..300 => "good",
            401 => "unauthorized",
            400 if sign_in => "unauthorized",
            500.. => "transient",
            _ => "rejected",
        };
        assert_eq!(kind(&verdict), expected, "{about}");
        assert!(!text.contains("%1") && !text.contains("%resources") && !text.ends_with('…'), "{about}");
        faults += usize::from(verdict.is_err());
    }
    assert!(faults == 0 || faults > 100, "only {faults} recorded errors");
}
