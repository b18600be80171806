//! The function `operator`: wiring only.

use lambda_runtime::service_fn;
use operator::{Deps, handle};
use shared::{Clock, Store, audit, sdk, store::Table};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    audit::init("operator");
    let tables = [Table::Apps, Table::Customers, Table::Directory, Table::Credentials, Table::Passcodes];
    let deps = Deps { store: Store::from_env(&sdk::load().await?, &tables)?, clock: Clock::system() };
    let deps = &deps;
    lambda_runtime::run(service_fn(async move |event| handle(deps, event).await)).await
}
