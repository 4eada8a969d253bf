-- WeChat names an account in the query of its calls, which is kept in the clear and needed by nobody.
update callbacks set query = regexp_replace(query, '(^|&)openid=[^&]*', '', 'g') where query like '%openid=%';
