package snapshot

import "strings"

// Redaction says what is never shown. The zero value is the default: the
// built-in names and types.
type Redaction struct {
	// Identifiers are names hidden besides the built-in ones, Except those of
	// the built-in ones that are shown. Case and the characters _ - $ @ do not
	// matter.
	Identifiers, Except []string
	// Types are names of types whose values are hidden besides the built-in
	// ones: exact ("main.Card") or, with a star at the end, all that begin so
	// ("example.org/vault.*").
	Types []string
}

// redactor answers for names and types.
type redactor struct {
	idents   map[string]struct{}
	types    map[string]struct{}
	prefixes []string
}

func newRedactor(r Redaction) *redactor {
	out := &redactor{idents: map[string]struct{}{}, types: map[string]struct{}{}}
	for _, name := range append(sensitiveIdentifiers(), r.Identifiers...) {
		out.idents[normalise(name)] = struct{}{}
	}
	for _, name := range r.Except {
		delete(out.idents, normalise(name))
	}
	for _, name := range append(sensitiveTypes(), r.Types...) {
		if prefix, ok := strings.CutSuffix(name, "*"); ok {
			out.prefixes = append(out.prefixes, prefix)
			continue
		}
		out.types[name] = struct{}{}
	}
	return out
}

// ident reports whether a value with this name is hidden.
func (r *redactor) ident(name string) bool {
	_, ok := r.idents[normalise(name)]
	return ok
}

// start reports whether a name that begins so may be that of a hidden value.
func (r *redactor) start(name string) bool {
	name = normalise(name)
	for ident := range r.idents {
		if strings.HasPrefix(ident, name) {
			return true
		}
	}
	return false
}

// typ reports whether values of the named type, or pointers to it, are hidden.
func (r *redactor) typ(name string) bool {
	name = strings.TrimLeft(name, "*")
	if _, ok := r.types[name]; ok {
		return true
	}
	for _, p := range r.prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// normalise makes the spellings of one name equal: API_KEY, apiKey, api-key.
func normalise(name string) string {
	return strings.ToLower(ignoredCharacters.Replace(name))
}

var ignoredCharacters = strings.NewReplacer("_", "", "-", "", "$", "", "@", "")

// sensitiveIdentifiers are names that commonly hold credentials or what
// identifies a person to an authority.
func sensitiveIdentifiers() []string {
	return strings.Fields(`
		password passwd passwords pass pwd pw passphrase passcode passwordhash hashedpassword
		oldpassword newpassword currentpassword confirmpassword userpassword adminpassword rootpassword
		dbpassword databasepassword masterpassword
		secret secrets secretkey secretaccesskey secrettoken clientsecret appsecret sharedsecret
		consumersecret webhooksecret signingsecret totpsecret
		token tokens accesstoken refreshtoken idtoken authtoken bearertoken bearer apitoken usertoken
		sessiontoken securitytoken csrftoken xsrftoken csrf xsrf devicetoken oauthtoken oauth jwt jwttoken
		apikey apikeys appkey applicationkey apisecret accesskey accesskeyid privatekey sshkey
		encryptionkey decryptionkey signingkey signaturekey masterkey hmackey cipherkey symmetrickey pgpkey
		credential credentials creds authorization proxyauthorization auth xapikey xauthtoken
		cookie cookies setcookie session sessionid sessionkey phpsessid jsessionid connectsid
		ssn socialsecuritynumber pin pincode otp onetimepassword mfacode
		cvv cvc cardnumber creditcard creditcardnumber iban
		connectionstring dsn keystorepassword truststorepassword salt nonce`)
}

// sensitiveTypes are types of the standard library that are key material.
func sensitiveTypes() []string {
	return []string{
		"crypto/dsa.PrivateKey",
		"crypto/ecdh.PrivateKey",
		"crypto/ecdsa.PrivateKey",
		"crypto/ed25519.PrivateKey",
		"crypto/rsa.PrivateKey",
		"crypto/tls.Certificate",
		"net/url.Userinfo",
	}
}
