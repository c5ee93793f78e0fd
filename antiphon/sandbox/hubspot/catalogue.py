"""The properties, pipelines and association types that every portal starts with, as data.

A property is written `name:type` and may go on with flags: `ro` read-only, `calc` calculated, `unique`, `hidden`,
`ext` options that live elsewhere (owners, pipelines), `multi` several options, `area` long text; and `=a|b|c` options.
"""

from __future__ import annotations

from dataclasses import dataclass

STAGES = "subscriber|lead|marketingqualifiedlead|salesqualifiedlead|opportunity|customer|evangelist|other"

COMMON = """
hs_object_id:number,ro
hubspot_owner_id:enumeration,ext
hubspot_owner_assigneddate:datetime,ro
hubspot_team_id:enumeration,ext,ro
hs_created_by_user_id:number,ro
hs_updated_by_user_id:number,ro
hs_merged_object_ids:enumeration,ro,ext,multi
hs_object_source:string,ro
hs_object_source_label:string,ro
hs_read_only:bool,ro,hidden
hs_unique_creation_key:string,ro,hidden,unique
"""

CONTACTS = f"""
createdate:datetime,ro
lastmodifieddate:datetime,ro
email:string
hs_additional_emails:enumeration,ext,multi
hs_email_domain:string,ro,calc
firstname:string
lastname:string
hs_full_name_or_email:string,ro,calc
salutation:string
phone:phone_number
mobilephone:phone_number
fax:phone_number
company:string
jobtitle:string
website:string
address:string,area
city:string
state:string
zip:string
country:string
date_of_birth:string
annualrevenue:string
numemployees:enumeration=1-5|5-25|25-50|50-100|100-500|500-1000|1000+
industry:string
message:string,area
lifecyclestage:enumeration={STAGES}
hs_lead_status:enumeration=NEW|OPEN|IN_PROGRESS|OPEN_DEAL|UNQUALIFIED|ATTEMPTED_TO_CONTACT|CONNECTED|BAD_TIMING
hs_persona:enumeration,ext
hs_language:enumeration=de|en|es|fr|ja|nl
hs_buying_role:enumeration,multi=BLOCKER|BUDGET_HOLDER|CHAMPION|DECISION_MAKER|END_USER|EXECUTIVE_SPONSOR|INFLUENCER
closedate:datetime
hs_lifecyclestage_lead_date:datetime,ro
hs_lifecyclestage_customer_date:datetime,ro
hs_email_optout:bool
hs_legal_basis:enumeration,multi=Not applicable|Performance of a contract|Freely given consent from contact
hs_marketable_status:bool,ro
hs_analytics_source:enumeration,ro=ORGANIC_SEARCH|PAID_SEARCH|SOCIAL_MEDIA|DIRECT_TRAFFIC|OFFLINE|REFERRALS
num_associated_deals:number,ro,calc
num_notes:number,ro,calc
hubspotscore:number,ro,calc
recent_deal_amount:number,ro,calc
total_revenue:number,ro,calc
notes_last_contacted:datetime,ro,calc
hs_calculated_merged_vids:string,ro,calc
associatedcompanyid:number
"""

COMPANIES = f"""
createdate:datetime,ro
hs_lastmodifieddate:datetime,ro
name:string
domain:string
hs_additional_domains:enumeration,ext,multi
website:string
phone:phone_number
description:string,area
about_us:string,area
address:string
address2:string
city:string
state:string
zip:string
country:string
timezone:string
industry:enumeration=ACCOUNTING|BANKING|COMPUTER_SOFTWARE|EDUCATION_MANAGEMENT|HOSPITALITY|INSURANCE|RETAIL|TELECOMMUNICATIONS
type:enumeration=PROSPECT|PARTNER|RESELLER|VENDOR|OTHER
lifecyclestage:enumeration={STAGES}
hs_lead_status:enumeration=NEW|OPEN|IN_PROGRESS|OPEN_DEAL|UNQUALIFIED|ATTEMPTED_TO_CONTACT|CONNECTED|BAD_TIMING
annualrevenue:number
numberofemployees:number
founded_year:string
is_public:bool
linkedin_company_page:string
num_associated_contacts:number,ro,calc
num_associated_deals:number,ro,calc
total_revenue:number,ro,calc
"""

DEALS = """
createdate:datetime
hs_createdate:datetime,ro
hs_lastmodifieddate:datetime,ro
dealname:string
dealstage:enumeration,ext
pipeline:enumeration,ext
amount:number
amount_in_home_currency:number,ro,calc
deal_currency_code:enumeration=EUR|GBP|JPY|USD
closedate:datetime
dealtype:enumeration=newbusiness|existingbusiness
description:string,area
hs_priority:enumeration=low|medium|high
hs_next_step:string
closed_won_reason:string,area
closed_lost_reason:string,area
hs_is_closed:bool,ro,calc
hs_is_closed_won:bool,ro,calc
hs_deal_stage_probability:number,ro,calc
hs_forecast_amount:number,ro,calc
days_to_close:number,ro,calc
num_associated_contacts:number,ro,calc
"""

TICKETS = """
createdate:datetime
hs_lastmodifieddate:datetime,ro
subject:string
content:string,area
hs_pipeline:enumeration,ext
hs_pipeline_stage:enumeration,ext
hs_ticket_priority:enumeration=LOW|MEDIUM|HIGH|URGENT
hs_ticket_category:enumeration,multi=PRODUCT_ISSUE|BILLING_ISSUE|FEATURE_REQUEST|GENERAL_INQUIRY
source_type:enumeration=CHAT|EMAIL|FORM|PHONE
closed_date:datetime,ro
hs_resolution:string,area
time_to_close:number,ro,calc
"""

PRODUCTS = """
createdate:datetime,ro
hs_lastmodifieddate:datetime,ro
name:string
description:string,area
price:number
hs_sku:string
hs_cost_of_goods_sold:number
hs_recurring_billing_period:string
recurringbillingfrequency:enumeration=weekly|biweekly|monthly|quarterly|annually
hs_url:string
hs_images:string
tax:number
"""

LINE_ITEMS = """
createdate:datetime,ro
hs_lastmodifieddate:datetime,ro
name:string
description:string,area
quantity:number
price:number
discount:number
amount:number,ro,calc
tax:number
hs_sku:string
hs_product_id:number
hs_line_item_currency_code:enumeration=EUR|GBP|JPY|USD
recurringbillingfrequency:enumeration=weekly|biweekly|monthly|quarterly|annually
hs_recurring_billing_start_date:date
"""

ENGAGEMENT = """
hs_createdate:datetime,ro
hs_lastmodifieddate:datetime,ro
hs_timestamp:datetime
hs_attachment_ids:enumeration,ext,multi
hs_activity_type:string
"""

NOTES = ENGAGEMENT + "hs_note_body:string,area"
CALLS = (
    ENGAGEMENT
    + """
hs_call_title:string
hs_call_body:string,area
hs_call_direction:enumeration=INBOUND|OUTBOUND
hs_call_duration:number
hs_call_from_number:string
hs_call_to_number:string
hs_call_recording_url:string
hs_call_status:enumeration=BUSY|CALLING_CRM_USER|CANCELED|COMPLETED|CONNECTING|FAILED|IN_PROGRESS|NO_ANSWER|QUEUED|RINGING
"""
)
MEETINGS = (
    ENGAGEMENT
    + """
hs_meeting_title:string
hs_meeting_body:string,area
hs_internal_meeting_notes:string,area
hs_meeting_location:string
hs_meeting_start_time:datetime
hs_meeting_end_time:datetime
hs_meeting_outcome:enumeration=SCHEDULED|COMPLETED|RESCHEDULED|NO_SHOW|CANCELED
"""
)
TASKS = (
    ENGAGEMENT
    + """
hs_task_subject:string
hs_task_body:string,area
hs_task_status:enumeration=NOT_STARTED|IN_PROGRESS|WAITING|COMPLETED|DEFERRED
hs_task_priority:enumeration=NONE|LOW|MEDIUM|HIGH
hs_task_type:enumeration=CALL|EMAIL|LINKED_IN|TODO
hs_task_completion_date:datetime,ro
"""
)
EMAILS = (
    ENGAGEMENT
    + """
hs_email_subject:string
hs_email_text:string,area
hs_email_html:string,area
hs_email_status:enumeration=BOUNCED|FAILED|SCHEDULED|SENDING|SENT
hs_email_direction:enumeration=EMAIL|INCOMING_EMAIL|FORWARDED_EMAIL
hs_email_headers:string,area
hs_email_from_email:string,ro,calc
hs_email_to_email:string,ro,calc
"""
)
CUSTOM = """
hs_createdate:datetime,ro
hs_lastmodifieddate:datetime,ro
"""


@dataclass(frozen=True, slots=True)
class Standard:
    """An object type that every portal has.

    `required` lists groups of properties: a new record needs one of each group. `default` come back unasked.
    """

    name: str
    type_id: str
    singular: str
    properties: str
    default: tuple[str, ...]
    required: tuple[tuple[str, ...], ...] = ()
    first_id: int = 1001
    share: float = 0.1
    pipeline: tuple[str, str] | None = None


_TIMED = (("hs_timestamp",),)

# Type ids and what a new record needs: the vendor's object guides. The first ids cross a power of ten soon, so that
# ids compared as text are found out.
STANDARD = (
    Standard("contacts", "0-1", "Contact", CONTACTS, ("email", "firstname", "lastname"),
             (("email", "firstname", "lastname"),), 951, 1.0),
    Standard("companies", "0-2", "Company", COMPANIES, ("domain", "name"), (("name", "domain"),), 9981, 0.25),
    Standard("deals", "0-3", "Deal", DEALS, ("amount", "closedate", "dealname", "dealstage", "pipeline"),
             (("dealname",), ("dealstage",)), 99981, 0.2, ("pipeline", "dealstage")),
    Standard("tickets", "0-5", "Ticket", TICKETS,
             ("content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_category", "hs_ticket_priority", "subject"),
             (("subject",), ("hs_pipeline",), ("hs_pipeline_stage",)), 4991, 0.1, ("hs_pipeline", "hs_pipeline_stage")),
    Standard("products", "0-7", "Product", PRODUCTS, ("description", "name", "price"), (("name",),), 7991),
    Standard("line_items", "0-8", "Line item", LINE_ITEMS, ("amount", "hs_product_id", "quantity"), (), 19991),
    Standard("notes", "0-46", "Note", NOTES, (), _TIMED, 29991),
    Standard("meetings", "0-47", "Meeting", MEETINGS, (), _TIMED, 39991),
    Standard("calls", "0-48", "Call", CALLS, (), _TIMED, 49991),
    Standard("emails", "0-49", "Email", EMAILS, (), (*_TIMED, ("hs_email_direction",)), 59991),
    Standard("tasks", "0-27", "Task", TASKS, (), _TIMED, 69991),
)  # fmt: skip

# (from, to): (type id, label). Directional. The first of a pair is the unlabelled one; the vendor's associations guide.
ASSOCIATIONS: dict[tuple[str, str], tuple[tuple[int, str | None], ...]] = {
    ("contacts", "companies"): ((279, None), (1, "Primary")),
    ("companies", "contacts"): ((280, None), (2, "Primary")),
    ("contacts", "deals"): ((4, None),),
    ("deals", "contacts"): ((3, None),),
    ("deals", "companies"): ((341, None), (5, "Primary")),
    ("companies", "deals"): ((342, None), (6, "Primary")),
    ("contacts", "tickets"): ((15, None),),
    ("tickets", "contacts"): ((16, None),),
    ("tickets", "companies"): ((339, None), (26, "Primary")),
    ("companies", "tickets"): ((340, None), (25, "Primary")),
    ("deals", "line_items"): ((19, None),),
    ("line_items", "deals"): ((20, None),),
    ("contacts", "contacts"): ((449, None),),
    ("contacts", "calls"): ((193, None),),
    ("calls", "contacts"): ((194, None),),
    ("contacts", "emails"): ((197, None),),
    ("emails", "contacts"): ((198, None),),
    ("contacts", "meetings"): ((199, None),),
    ("meetings", "contacts"): ((200, None),),
    ("contacts", "notes"): ((201, None),),
    ("notes", "contacts"): ((202, None),),
    ("contacts", "tasks"): ((203, None),),
    ("tasks", "contacts"): ((204, None),),
}

# object: pipelines of (id, label, stages of (id, label, metadata)).
Stage = tuple[str, str, dict[str, str]]
PIPELINES: dict[str, tuple[tuple[str, str, tuple[Stage, ...]], ...]] = {
    "deals": (
        ("default", "Sales Pipeline", (
            ("appointmentscheduled", "Appointment Scheduled", {"isClosed": "false", "probability": "0.2"}),
            ("qualifiedtobuy", "Qualified To Buy", {"isClosed": "false", "probability": "0.4"}),
            ("presentationscheduled", "Presentation Scheduled", {"isClosed": "false", "probability": "0.6"}),
            ("contractsent", "Contract Sent", {"isClosed": "false", "probability": "0.9"}),
            ("closedwon", "Closed Won", {"isClosed": "true", "probability": "1.0"}),
            ("closedlost", "Closed Lost", {"isClosed": "true", "probability": "0.0"}),
        )),
        ("75e28846", "Renewals", (
            ("1193", "Up for renewal", {"isClosed": "false", "probability": "0.5"}),
            ("1194", "Renewed", {"isClosed": "true", "probability": "1.0"}),
        )),
    ),
    "tickets": (
        ("0", "Support Pipeline", (
            ("1", "New", {"isClosed": "false", "ticketState": "OPEN"}),
            ("2", "Waiting on contact", {"isClosed": "false", "ticketState": "OPEN"}),
            ("3", "Waiting on us", {"isClosed": "false", "ticketState": "OPEN"}),
            ("4", "Closed", {"isClosed": "true", "ticketState": "CLOSED"}),
        )),
    ),
}  # fmt: skip
