//! WeChat sign-in: a code of `wx.login` for the person's openid (`code2Session`).
