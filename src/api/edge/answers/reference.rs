//! The API reference for browsers: RapiDoc, which poem-openapi embeds, in a page of our own. RapiDoc usually loads
//! fonts from other servers. Our page and script load none, and the content security policy forbids it.

use poem::http::HeaderValue;
use poem_openapi::OpenApiService;

use crate::api::edge::answers::fixed::Fixed;

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

const PAGE: &str = r#"<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<script src="/reference/rapidoc.js" defer></script>
</head>
<body>
<rapi-doc spec-url="/openapi/{file}.json" load-fonts="false" regular-font="system-ui, sans-serif"
 mono-font="ui-monospace, monospace" theme="light" render-style="focused" show-header="false" show-components="true"
 allow-try="true" allow-authentication="true" allow-server-selection="false" schema-description-expanded="true">
<h1 slot="nav-logo">{title}</h1>
</rapi-doc>
</body>
</html>
"#;

pub fn page(file: &str, title: &str) -> Fixed {
    let page = PAGE.replace("{file}", file).replace("{title}", title);
    Fixed::new("text/html; charset=utf-8", page).policy(POLICY)
}

/// Returns RapiDoc's script. It is cut out of the page that poem-openapi builds for an empty API.
pub fn script() -> Fixed {
    const BEGIN: &str = r#"<script charset="UTF-8">"#;
    const END: &str = "</script>\n</head>";
    let page = OpenApiService::new((), "", "").rapidoc_html();
    let script = page.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).map_or("", |(script, _)| script);
    Fixed::new("text/javascript; charset=utf-8", script.replace("https://fonts.gstatic.com/", "/no-font/"))
}
