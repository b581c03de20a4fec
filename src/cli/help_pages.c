/*
 * The pages of payctl's help: each usage with examples, see help.h.  A test
 * (tests/integration/test_payctl_help.py) finds an example of each verb, with
 * options that its usage has.
 */

#include "cli/help.h"


const pay_cli_page_t  pay_cli_pages[] = {
    { "audit", pay_cli_audit_usage,
      "  payctl audit export > log.jsonl\n"
      "  payctl audit verify --key audit.pub.pem log.jsonl\n" },
    { "audit export", pay_cli_audit_export_usage,
      "  payctl audit export --since 2026-11-01 --until 2026-12-01 >"
      " november.jsonl\n" },
    { "audit verify", pay_cli_audit_verify_usage,
      "  payctl audit verify --key audit.pub.pem --roots seals.jsonl"
      " log.jsonl\n"
      "  payctl audit export | payctl audit verify --key audit.pub.pem -\n" },
    { "audit root", pay_cli_audit_root_usage,
      "  payctl audit root --day 2026-11-21 --key"
      " /etc/nginx/secrets/audit.pem --dir .\n"
      "  payctl --all-cells audit root --key /etc/nginx/secrets/audit.pem \\\n"
      "      --dir /var/lib/payctl/roots\n" },
    { "audit verify-root", pay_cli_audit_verify_root_usage,
      "  payctl audit verify-root --key audit.pub.pem --seals"
      " default=seals.jsonl \\\n"
      "      --seals b=seals.jsonl.b root-2026-11-21.json\n" },
    { "audit status", pay_cli_audit_status_usage,
      "  payctl audit status\n" },
    { "audit drop-month", pay_cli_audit_drop_usage,
      "  payctl audit drop-month 2025-11 --who ada --why 'retention policy"
      " 7.2'\n" },
    { "audit keygen", pay_cli_audit_keygen_usage,
      "  payctl audit keygen /etc/nginx/secrets/audit.pem\n" },
    { "audit pubkey", pay_cli_audit_pubkey_usage,
      "  payctl audit pubkey /etc/nginx/secrets/audit.pem > audit.pub.pem\n" },
    { "backfill", pay_cli_backfill_usage,
      "  payctl backfill -o json\n" },
    { "capacity", pay_cli_capacity_usage,
      "  payctl capacity\n"
      "  payctl capacity --day 20000 --second 5\n" },
    { "change", pay_cli_change_usage,
      "  payctl change list --kind refund --merchant acme\n"
      "  payctl change show 3f0c6f0e-6a53-4f0e-9d0b-0f4bb1f0a001\n"
      "  payctl change settle 3f0c6f0e-6a53-4f0e-9d0b-0f4bb1f0a001 --as"
      " success \\\n"
      "      --who ann --why 'seen at the PSP, case 4711'\n" },
    { "check", pay_cli_check_usage,
      "  payctl check --quiet\n"
      "  payctl --all-cells check --quiet\n" },
    { "close", pay_cli_close_usage,
      "  payctl close make --day 2026-11-21 --key"
      " /etc/nginx/secrets/audit.pem\n"
      "  payctl close show --day 2026-11-21 -o csv\n"
      "  payctl close export > closes.jsonl\n"
      "  payctl close verify --key audit.pub.pem closes.jsonl\n" },
    { "completion", pay_cli_completion_usage,
      "  payctl completion bash > /etc/bash_completion.d/payctl\n"
      "  payctl completion zsh > /usr/share/zsh/site-functions/_payctl\n" },
    { "dispute", pay_cli_dispute_usage,
      "  payctl dispute list --merchant acme\n"
      "  payctl dispute settle WNS21 --psp adyen --as lost \\\n"
      "      --who ann --why 'the defence period is over'\n" },
    { "dlq", pay_cli_dlq_usage,
      "  payctl dlq list --kind late_success\n"
      "  payctl dlq show 17\n"
      "  payctl dlq requeue 17 --who ann --why 'the PSP is back'\n"
      "  payctl dlq accept 18 --who ann --why 'the seller still delivers'\n"
      "  payctl dlq resolve 19 --who ann --why 'refunded at the dashboard'\n" },
    { "doctor", pay_cli_doctor_usage,
      "  payctl doctor\n"
      "  payctl doctor --only backup --dsn 'dbname=payments"
      " user=payments_auditor'\n" },
    { "events", pay_cli_events_usage,
      "  payctl events list --merchant acme --type payment.succeeded\n"
      "  payctl events show evt_0199c0de\n"
      "  payctl events tail --forward http://127.0.0.1:8000/hook\n"
      "  payctl events endpoints --merchant acme -o json\n"
      "  payctl events deliveries we_1 --state failed\n"
      "  payctl events lag\n"
      "  payctl events enable we_1 --who ann --why 'the shop is back'\n"
      "  payctl events disable we_1 --who ann --why 'the shop moves'\n"
      "  payctl events replay we_1 --since 2026-11-21T00:00:00Z --failed \\\n"
      "      --who ann --why 'lost in the outage'\n" },
    { "explain", pay_cli_explain_usage,
      "  payctl explain order-1\n"
      "  payctl explain --merchant acme -o json order-1\n" },
    { "find", pay_cli_find_usage,
      "  payctl find pi_3QxYz\n"
      "  payctl find --merchant acme 0199c0de-2f31\n"
      "  payctl find '12.34 EUR'\n"
      "  payctl find --keyring /etc/nginx/secrets/keyring ann@example.com\n" },
    { "init", pay_cli_init_usage,
      "  payctl init\n"
      "  payctl init --merchant shop1 --only files\n" },
    { "jwt", pay_cli_jwt_usage,
      "  payctl jwt verify --key acme.pub --kid 2026-01 --alg ES256 \\\n"
      "      --issuer acme --audience pay.example.com < token.txt\n" },
    { "merchant", pay_cli_merchant_usage,
      "  payctl merchant list -o json\n"
      "  payctl merchant show acme\n"
      "  payctl merchant move acme --from default --to b --balances carry \\\n"
      "      --to-dsn 'host=10.0.0.12 dbname=payments user=ann' --dry-run\n"
      "  payctl merchant forget acme --to-dsn 'host=10.0.0.12 dbname=payments'"
      "\n" },
    { "migrate", pay_cli_migrate_usage,
      "  payctl migrate --dry-run\n"
      "  payctl migrate --sql /usr/local/share/ngx_payments/sql\n" },
    { "mismatch", pay_cli_mismatch_usage,
      "  payctl mismatch list --kind amount\n"
      "  payctl mismatch show 17\n"
      "  payctl mismatch settle 17 --who ann --why 'paid back at the"
      " dashboard'\n"
      "  payctl mismatch assign 18 order-1=2.50 order-2=2.50 \\\n"
      "      --who ann --why 'both sellers agreed'\n" },
    { "ops", pay_cli_ops_usage,
      "  payctl ops --currencies\n" },
    { "payout", pay_cli_payout_usage,
      "  payctl payout list --merchant acme --state held\n"
      "  payctl payout accounts --merchant acme\n"
      "  payctl payout batches -o json\n"
      "  payctl payout show po_1\n"
      "  payctl payout advice po_1 -o csv > advice.csv\n"
      "  payctl payout release order-1 --merchant acme --who ann --why"
      " delivered\n"
      "  payctl payout unrelease order-1 --merchant acme --who ann --why 'came"
      " back'\n"
      "  payctl payout make seller-1 --merchant acme --who ann\n"
      "  payctl payout hold po_1 --who ann --why 'account under review'\n"
      "  payctl payout unhold po_1 --who ann --why 'account is confirmed'\n"
      "  payctl payout cancel po_1 --who ann --why 'wrong account'\n"
      "  payctl payout batch --merchant acme --provider bank --currency EUR"
      " --who ann\n"
      "  payctl payout approve ba_1 --hash 9c0f --who bob\n"
      "  payctl payout withdraw ba_1 --who ann --why 'one item is wrong'\n"
      "  payctl payout decide po_1 --as paid --ref P-77 --who ann --why 'on"
      " the statement'\n"
      "  payctl payout screening held\n"
      "  payctl payout file list --merchant acme\n"
      "  payctl payout commissions --merchant acme -o csv\n"
      "  payctl payout commission --merchant acme --currency EUR --percent 2.5"
      " \\\n"
      "      --fixed 30 --who ann --why 'contract of 2026'\n"
      "  payctl payout stop bank --merchant acme --who ann --why 'the bank is"
      " down'\n"
      "  payctl payout start bank --merchant acme --who ann --why 'it is"
      " back'\n"
      "  payctl payout schedules\n"
      "  payctl payout runs --merchant acme\n"
      "  payctl payout schedule --merchant acme --every week --on 1 --at 06:00"
      " \\\n"
      "      --zone Europe/Berlin --who ann --why 'contract of 2026'\n"
      "  payctl payout holidays target\n"
      "  payctl payout calendar target --closed 6,7 --who ann --why weekend\n"
      "  payctl payout holiday target 2026-12-25 --name Christmas --who ann"
      " --why TARGET\n" },
    { "payout screening", pay_cli_payout_screening_usage,
      "  payctl payout screening import --list ofac --who ann sdn.csv alt.csv\n"
      "  payctl payout screening lists\n"
      "  payctl payout screening held -o csv\n"
      "  payctl payout screening waiting\n"
      "  payctl payout screening set --merchant acme --lists ofac,eu \\\n"
      "      --who ann --why 'policy 3'\n"
      "  payctl payout screening clear 7 --who ann --why 'another birth date'\n"
      "  payctl payout screening reject 8 --who ann --why 'the very one'\n" },
    { "payout file", pay_cli_payout_file_usage,
      "  payctl payout file write --merchant acme --provider bank --dir"
      " /srv/bank \\\n"
      "      --keyring keyring --debtor-name 'Acme GmbH' \\\n"
      "      --debtor-iban DE02120300000000202051 --who ann\n"
      "  payctl payout file read --merchant acme --provider bank --who ann"
      " camt053.xml\n"
      "  payctl payout file list --merchant acme\n" },
    { "proof", pay_cli_proof_usage,
      "  payctl proof order-1 --key /etc/nginx/secrets/audit.pem \\\n"
      "      --out order-1.json --html order-1.html\n"
      "  payctl proof verify order-1.json --pub audit.pub.pem\n" },
    { "recover", pay_cli_recover_usage,
      "  payctl recover --since '2026-11-26 13:05:00+00'\n"
      "  payctl recover --since '2026-11-26 13:05:00+00' --yes\n"
      "  payctl recover --accept --why 'both payments are paid back'\n" },
    { "report", pay_cli_report_usage,
      "  payctl report day --from 2026-11-01 --to 2026-12-01 \\\n"
      "      --zone Europe/Berlin\n"
      "  payctl report psp --from 2026-11-01 --to 2026-12-01 -o csv > psp.csv\n"
      "  payctl report seller --from 2026-11-01 --to 2026-12-01 \\\n"
      "      --merchant acme\n"
      "  payctl report fees --from 2026-11-01 --to 2026-12-01 -o json\n"
      "  payctl --all-cells report day --from 2026-11-01 --to 2026-12-01\n" },
    { "retention", pay_cli_retention_usage,
      "  payctl retention show\n"
      "  payctl retention run --class webhooks --keep '1 year' --dry-run\n" },
    { "retention erase", pay_cli_retention_erase_usage,
      "  payctl retention erase --merchant acme --email - --dry-run"
      " --who ada \\\n      --why 'request 2026-117' < address\n" },
    { "risk", pay_cli_risk_usage,
      "  payctl risk list --merchant acme\n"
      "  payctl risk list add block email eve@example.com --why 'chargebacks'"
      " \\\n"
      "      --keyring keyring\n"
      "  payctl risk list remove block country KP --why 'policy 9'\n"
      "  payctl risk list import block ip addresses.txt --why 'a botnet'\n"
      "  payctl risk decisions --decision block -o json\n"
      "  payctl risk show --merchant acme checkout-1\n"
      "  payctl risk modes\n" },
    { "risk review", pay_cli_risk_review_usage,
      "  payctl risk review list --merchant acme\n"
      "  payctl risk review captures\n"
      "  payctl risk review show 5\n"
      "  payctl risk review linked 5\n"
      "  payctl risk review claim 5 --lease 1800\n"
      "  payctl risk review approve 5 --reason known_buyer\n"
      "  payctl risk review reject 5 --reason stolen_card --block\n"
      "  payctl risk review escalate 5 --reason unclear --note 'ask legal'\n" },
    { "risk export", pay_cli_risk_export_usage,
      "  payctl risk export --since 2026-10-01 -o decisions.jsonl\n" },
    { "risk model", pay_cli_risk_model_usage,
      "  payctl risk model list\n"
      "  payctl risk model check\n"
      "  payctl risk model promote fraud-7 --file fraud-7.txt --why 'better on"
      " October'\n" },
    { "risk replay", pay_cli_risk_replay_usage,
      "  payctl risk replay --rules rules.conf --since 2026-10-01 -o csv\n" },
    { "route", pay_cli_route_usage,
      "  payctl route replay --since 2026-11-01 --routes routes.conf\n"
      "  payctl route replay --since 2026-11-01 --by order --psps stripe,adyen"
      " -o csv\n" },
    { "settlement", pay_cli_settlement_usage,
      "  payctl settlement files\n"
      "  payctl settlement ageing -o csv\n"
      "  payctl settlement list --class 2 --source stripe\n"
      "  payctl settlement show 12\n" },
    { "settlement import", pay_cli_settlement_import_usage,
      "  payctl settlement import --source stripe balance-2026-11.csv\n" },
    { "settlement copy", pay_cli_settlement_copy_usage,
      "  payctl settlement copy --file 9 --keyring keyring > balance.csv\n" },
    { "settlement accept", pay_cli_settlement_act_usage,
      "  payctl settlement accept 12 --who ann --why 'the contract says so'\n"
      "  payctl settlement resolve 13 --with 14 --who ann --why 'they cancel"
      " out'\n"
      "  payctl settlement write-off 15 --who ann --why 'below a cent'\n" },
    { "settlement source", pay_cli_settlement_set_usage,
      "  payctl settlement source stripe --format stripe --merchant acme --psp"
      " stripe\n"
      "  payctl settlement limit EUR --alone 10.00 --a-day 50.00\n"
      "  payctl settlement overdue --source stripe\n" },
    { "settlement balances", pay_cli_settlement_balances_usage,
      "  payctl settlement balances -o json\n" },
    { "timeline", pay_cli_timeline_usage,
      "  payctl timeline order-1\n"
      "  payctl timeline --merchant acme -o csv order-1\n" },
    { "webhook", pay_cli_webhook_usage,
      "  payctl webhook quarantine --psp stripe\n"
      "  payctl webhook show stripe evt_1\n" },
    { "webhook verify", pay_cli_webhook_verify_usage,
      "  payctl webhook verify --scheme stripe --secret-file stripe.whsec \\\n"
      "      --header 'Stripe-Signature: t=1,v1=...' < body.json\n" },
    { "webhook quarantine", pay_cli_quarantine_usage,
      "  payctl webhook quarantine --psp stripe --limit 20\n" },
    { "webhook show", pay_cli_webhook_show_usage,
      "  payctl webhook show stripe evt_1\n" },
    { "webhook replay", pay_cli_webhook_replay_usage,
      "  payctl webhook replay stripe evt_1 --who ann --why 'the handler was"
      " fixed'\n" },
    { NULL, NULL, NULL }
};
