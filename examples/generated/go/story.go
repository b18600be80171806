// The whole story with the client that openapi-generator generates; see ../README.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	atom "example.com/atom"
)

// A caller of one level. The SSO's redirect is for the customer's browser, so nothing is followed.
type caller struct {
	*atom.APIClient
	ctx context.Context
}

func as(level, key, token string) caller {
	configuration := atom.NewConfiguration()
	configuration.Servers = atom.ServerConfigurations{{URL: os.Getenv("API")}}
	configuration.HTTPClient = &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	credentials := map[string]atom.APIKey{level + "Key": {Key: key}, level + "Token": {Key: token}}
	return caller{
		atom.NewAPIClient(configuration),
		context.WithValue(context.Background(), atom.ContextAPIKeys, credentials),
	}
}

func ok[T any](value T, _ *http.Response, err error) T {
	if err != nil {
		log.Panic(err)
	}
	return value
}

// The error that a call was refused with, which has this status and code.
func refused(response *http.Response, err error, status int, code string) atom.ApiError {
	var failure *atom.GenericOpenAPIError
	if !errors.As(err, &failure) {
		log.Panicf("not refused: %v", err)
	}
	answer, isError := failure.Model().(atom.ApiError)
	check(isError && response.StatusCode == status && answer.GetCode() == code, response.Status, string(failure.Body()))
	return answer
}

func check(holds bool, what ...any) {
	if !holds {
		log.Panicln(what...)
	}
}

func main() {
	app := as("App", os.Getenv("SUPERKEY"), os.Getenv("SUPERTOKEN"))
	platform := as("Platform", os.Getenv("PLATFORMKEY"), os.Getenv("PLATFORMTOKEN"))
	email := fmt.Sprintf("generated+go%d@example.com", os.Getpid())
	cuid := create(app, email)
	pair := signIn(app, email)
	check(pair.GetCuid() == cuid && pair.GetExpiresAt().After(time.Now()), pair)
	record := readRecord(pair, email)
	listAll(app, email, cuid)
	vouched := ok(app.SignInAPI.AuthenticateWithoutPasscode(app.ctx, email).Execute())
	check(vouched.GetCuid() == cuid && vouched.GetKey() != pair.GetKey(), vouched)
	toThePlatform(app, platform, email, cuid)
	signOut(pair, vouched)
	nobody := as("App", "", "")
	_, response, err := nobody.CustomersAPI.ListCustomers(nobody.ctx).Execute()
	refused(response, err, 403, "missing_key")
	shown, err := json.Marshal(record)
	check(err == nil, err)
	fmt.Println(string(shown))
}

// Creates a customer once; the pair is for the server. The 409 says who has the address, and nothing about who typed it.
func create(app caller, email string) string {
	jane := atom.NewCustomerDetails("Generated Ltd", email)
	jane.SetName("Jané Doe")
	jane.SetZip("EC1A 1AA")
	// A reply that is lost is asked for again with the same Idempotency-Key.
	once := app.CustomersAPI.CreateCustomer(app.ctx).CustomerDetails(*jane).IdempotencyKey(email)
	lost := ok(once.Execute())
	created, response, err := once.Execute()
	check(err == nil && created.GetCuid() == lost.GetCuid() && response.Header.Get("Idempotent-Replayed") == "true", response, err)
	_, response, err = app.CustomersAPI.CreateCustomer(app.ctx).CustomerDetails(*jane).Execute()
	again := refused(response, err, 409, "customer_exists")
	check(again.GetCuid() == created.GetCuid(), again)
	wrong := atom.NewCustomerDetails("Generated Ltd", "nobody")
	_, response, err = app.CustomersAPI.CreateCustomer(app.ctx).CustomerDetails(*wrong).Execute()
	invalid := refused(response, err, 400, "invalid_request")
	check(len(invalid.GetErrors()) == 1 && invalid.GetErrors()[0].Field == "email", invalid)
	return created.GetCuid()
}

// The passcode decides who signs in. A person reads the mail; here the local mailbox is asked for it.
func signIn(app caller, email string) *atom.IssuedPair {
	sent := ok(app.SignInAPI.SendPasscode(app.ctx, email).Execute())
	check(strings.Contains(sent.GetMessage(), email), sent)
	mails, err := http.Get(os.Getenv("MAILBOX") + "/messages?to=" + url.QueryEscape(email))
	check(err == nil, err)
	defer mails.Body.Close()
	text, err := io.ReadAll(mails.Body)
	check(err == nil, err)
	passcode := regexp.MustCompile(`\d{4} \d{4}`).FindString(string(text))
	guess := "0000 0000"
	if passcode == guess {
		guess = "1111 1111"
	}
	_, response, err := app.SignInAPI.Authenticate(app.ctx, email).XAccessPasscode(guess).Execute()
	refused(response, err, 401, "invalid_passcode")
	return ok(app.SignInAPI.Authenticate(app.ctx, email).XAccessPasscode(passcode).Execute())
}

// With its pair the customer reads its own record, and no other.
func readRecord(pair *atom.IssuedPair, email string) *atom.Customer {
	customer := as("Customer", pair.GetKey(), pair.GetToken())
	record := ok(customer.CustomersAPI.GetCustomer(customer.ctx, pair.GetCuid()).Execute())
	check(record.GetEmail() == email && record.GetName() == "Jané Doe" && !record.HasCity(), record)
	check(record.GetEmailVerified() && !record.GetCreatedAt().IsZero(), record)
	change := atom.NewCustomerChange()
	change.SetCity("London")
	change.SetZipNil()
	record = ok(customer.CustomersAPI.ChangeCustomer(customer.ctx, pair.GetCuid()).CustomerChange(*change).Execute())
	check(record.GetCity() == "London" && !record.HasZip() && record.GetName() == "Jané Doe", record)
	_, response, err := customer.CustomersAPI.GetCustomer(customer.ctx, strings.Repeat("0", 22)).Execute()
	refused(response, err, 404, "no_matching_key")
	return record
}

// The customer signs out, and that pair alone is no longer good.
func signOut(pair, other *atom.IssuedPair) {
	customer := as("Customer", pair.GetKey(), pair.GetToken())
	response, err := customer.SignInAPI.RevokeCredentials(customer.ctx, pair.GetCuid()).Execute()
	check(err == nil && response.StatusCode == 204, response, err)
	_, response, err = customer.CustomersAPI.GetCustomer(customer.ctx, pair.GetCuid()).Execute()
	refused(response, err, 403, "invalid_token")
	elsewhere := as("Customer", other.GetKey(), other.GetToken())
	ok(elsewhere.CustomersAPI.GetCustomer(elsewhere.ctx, pair.GetCuid()).Execute())
}

// One customer by its address; all of them page by page.
func listAll(app caller, email, cuid string) {
	found := ok(app.CustomersAPI.ListCustomers(app.ctx).Email(email).Execute())
	check(len(found) == 1 && found[0].GetCuid() == cuid, found)
	more := atom.NewCustomerDetails("Müller GmbH", "more-"+email)
	second := ok(app.CustomersAPI.CreateCustomer(app.ctx).CustomerDetails(*more).Execute())
	seen := map[string]int{}
	for request := app.CustomersAPI.ListCustomers(app.ctx).Limit(1); ; {
		page, response, err := request.Execute()
		for _, customer := range ok(page, response, err) {
			seen[customer.GetCuid()]++
			check(seen[customer.GetCuid()] == 1, "twice:", customer)
		}
		following := regexp.MustCompile(`<(.*)>; rel="next"`).FindStringSubmatch(response.Header.Get("Link"))
		if following == nil {
			break
		}
		address, err := url.Parse(following[1])
		check(err == nil, err)
		request = request.Cursor(address.Query().Get("cursor"))
	}
	check(seen[cuid] == 1 && seen[second.GetCuid()] == 1, seen)
}

// To the platform: the server takes the address out of the redirect, the browser goes there, the platform redeems.
func toThePlatform(app, platform caller, email, cuid string) {
	response, _ := app.SingleSignOnAPI.StartSso(app.ctx, email).ReturnTo("/campaigns?tab=spend").State("4b1f9c2e7a").Execute()
	check(response != nil && response.StatusCode == 302, response)
	location, err := response.Location()
	// What is bound to the ticket stands where nobody on the way can change it.
	check(err == nil && len(location.Query()) == 1, location, err)
	ticket := atom.NewTicketRedemption(location.Query().Get("ticket"))
	identity := ok(platform.SingleSignOnAPI.RedeemTicket(platform.ctx).TicketRedemption(*ticket).Execute())
	check(identity.GetCuid() == cuid && identity.GetEmail() == email && identity.GetName() == "Jané Doe", identity)
	check(identity.GetReturnTo() == "/campaigns?tab=spend" && identity.GetState() == "4b1f9c2e7a", identity)
	_, response, err = platform.SingleSignOnAPI.RedeemTicket(platform.ctx).TicketRedemption(*ticket).Execute()
	refused(response, err, 401, "invalid_ticket")
}
