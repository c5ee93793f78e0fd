"""The models a database has, as text: a heading per model, a line per field.

    [sale.order] Sales Order; order=date_order desc, id desc; module=sale
    partner_id many2one res.partner required | Customer

A field line holds name, type, the model it relates to (with `/inverse` for one2many), flags, and after a bar the label
and a selection's options. Flags: `required`, `readonly`, `unstored`, `computed`, `nocopy`, `cascade`, `restrict`,
`related=path`, `default=value`, `<19` or `>=18` for the versions that have the field.
"""

from __future__ import annotations

MODELS = """
[res.country] Country; order=name, id; module=base
name char required | Country Name
code char | Country Code
phone_code integer | Country Calling Code
currency_id many2one res.currency | Currency
state_ids one2many res.country.state/country_id | States

[res.country.state] Country state; order=code, id; module=base
name char required | State Name
code char required | State Code
country_id many2one res.country required | Country

[res.currency] Currency; order=active desc, name, id; module=base
name char required | Currency
symbol char required | Symbol
active boolean default=1 | Active
rounding float default=0.01 | Rounding Factor

[res.lang] Languages; order=active desc, name, id; module=base
name char required | Name
code char required | Locale Code
active boolean default=1 | Active

[res.partner.category] Partner Tags; order=name, id; module=base
name char required | Name
color integer | Color
parent_id many2one res.partner.category cascade | Category
active boolean default=1 | Active

[res.company] Companies; order=sequence, name, id; module=base
name char required related=partner_id.name | Company Name
partner_id many2one res.partner required | Partner
currency_id many2one res.currency required default=1 | Currency
sequence integer default=10 | Sequence
email char related=partner_id.email unstored | Email
phone char related=partner_id.phone unstored | Phone
country_id many2one res.country related=partner_id.country_id unstored | Country
active boolean default=1 | Active

[res.partner] Contact; order=complete_name ASC, id DESC; module=base
name char | Name
complete_name char computed readonly | Complete Name
parent_id many2one res.partner | Related Company
child_ids one2many res.partner/parent_id | Contact
ref char | Reference
lang selection default=en_US | Language | en_US=English (US),fr_BE=French (BE) / Français (BE)
tz selection | Timezone | Europe/Brussels=Europe/Brussels,America/New_York=America/New_York,UTC=UTC
user_id many2one res.users | Salesperson
vat char | Tax ID
website char | Website Link
comment html | Notes
category_id many2many res.partner.category | Tags
active boolean default=1 | Active
is_company boolean | Is a Company
company_type selection computed unstored | Company Type | person=Individual,company=Company
type selection default=contact | Address Type | contact=Contact,invoice=Invoice Address,delivery=Delivery Address,other=Other Address
function char | Job Position
street char | Street
street2 char | Street2
zip char | Zip
city char | City
state_id many2one res.country.state restrict | State
country_id many2one res.country restrict | Country
country_code char related=country_id.code unstored readonly | Country Code
email char | Email
email_normalized char computed readonly | Normalized Email
phone char | Phone
mobile char <19 | Mobile
commercial_partner_id many2one res.partner computed readonly | Commercial Entity
company_id many2one res.company | Company
color integer | Color Index
partner_latitude float | Geo Latitude
partner_longitude float | Geo Longitude
credit_limit float | Credit Limit
customer_rank integer nocopy | Customer Rank
supplier_rank integer nocopy | Supplier Rank
date date <17 | Date
image_1920 binary | Image
contact_address char computed unstored readonly | Complete Address
user_ids one2many res.users/partner_id | Users
currency_id many2one res.currency related=company_id.currency_id unstored readonly | Currency

[res.users] User; order=name, login, id; module=base
login char required | Login
password char unstored | Password
partner_id many2one res.partner required restrict | Related Partner
name char related=partner_id.name unstored | Name
email char related=partner_id.email unstored | Email
lang selection related=partner_id.lang unstored | Language | en_US=English (US),fr_BE=French (BE) / Français (BE)
tz selection related=partner_id.tz unstored | Timezone | Europe/Brussels=Europe/Brussels,America/New_York=America/New_York,UTC=UTC
active boolean default=1 | Active
share boolean readonly | Share User
company_id many2one res.company required default=1 | Company
company_ids many2many res.company | Companies
login_date datetime readonly unstored computed | Latest Login
notification_type selection required default=email | Notification | email=Handle by Emails,inbox=Handle in Odoo

[uom.uom] Product Unit of Measure; order=id; module=uom
name char required | Unit of Measure
active boolean default=1 | Active
rounding float default=0.01 | Rounding Precision

[product.category] Product Category; order=complete_name, id; module=product
name char required | Name
complete_name char computed readonly | Complete Name
parent_id many2one product.category cascade | Parent Category

[product.pricelist] Pricelist; order=sequence, id; module=product
name char required | Pricelist Name
active boolean default=1 | Active
sequence integer default=16 | Sequence
currency_id many2one res.currency required default=1 | Currency

[product.template] Product; order=name, id; module=product
name char required translate | Name
sequence integer default=1 | Sequence
description_sale text translate | Sales Description
type selection required default=consu | Product Type | consu=Goods,service=Service,combo=Combo
categ_id many2one product.category required default=1 | Product Category
list_price float default=1.0 | Sales Price
standard_price float | Cost
currency_id many2one res.currency readonly default=1 | Currency
uom_id many2one uom.uom required default=1 | Unit
default_code char | Internal Reference
barcode char nocopy | Barcode
active boolean default=1 | Active
sale_ok boolean default=1 | Sales
purchase_ok boolean default=1 | Purchase
weight float | Weight
company_id many2one res.company | Company
image_1920 binary | Image
product_variant_ids one2many product.product/product_tmpl_id | Products
product_variant_count integer computed unstored readonly | # Product Variants

[product.product] Product Variant; order=id; module=product
product_tmpl_id many2one product.template required cascade | Product Template
name char related=product_tmpl_id.name unstored | Name
default_code char related=product_tmpl_id.default_code | Internal Reference
barcode char related=product_tmpl_id.barcode | Barcode
list_price float related=product_tmpl_id.list_price unstored | Sales Price
lst_price float related=product_tmpl_id.list_price unstored | Sales Price
standard_price float related=product_tmpl_id.standard_price unstored | Cost
type selection related=product_tmpl_id.type unstored | Product Type | consu=Goods,service=Service,combo=Combo
categ_id many2one product.category related=product_tmpl_id.categ_id unstored | Product Category
uom_id many2one uom.uom related=product_tmpl_id.uom_id unstored | Unit
sale_ok boolean related=product_tmpl_id.sale_ok unstored | Sales
description_sale text related=product_tmpl_id.description_sale unstored | Sales Description
active boolean default=1 | Active

[crm.team] Sales Team; order=sequence, id; module=sales_team
name char required | Sales Team
sequence integer default=10 | Sequence
active boolean default=1 | Active
user_id many2one res.users | Team Leader

[crm.stage] CRM Stages; order=sequence, name, id; module=crm
name char required | Stage Name
sequence integer default=1 | Sequence
is_won boolean | Is Won Stage?

[crm.tag] CRM Tag; order=name, id; module=crm
name char required | Tag Name
color integer | Color

[crm.lead] Lead; order=priority desc, id desc; module=crm
name char required | Opportunity
type selection required default=opportunity | Type | lead=Lead,opportunity=Opportunity
active boolean default=1 | Active
partner_id many2one res.partner | Customer
partner_name char | Company Name
contact_name char | Contact Name
email_from char | Email
phone char | Phone
website char | Website
stage_id many2one crm.stage restrict default=1 | Stage
team_id many2one crm.team | Sales Team
user_id many2one res.users | Salesperson
tag_ids many2many crm.tag | Tags
priority selection default=0 | Priority | 0=Low,1=Medium,2=High,3=Very High
expected_revenue monetary | Expected Revenue
currency_id many2one res.currency readonly default=1 | Currency
probability float | Probability
date_deadline date | Expected Closing
date_closed datetime readonly nocopy | Closed Date
description html | Notes
company_id many2one res.company | Company

[sale.order] Sales Order; order=date_order desc, id desc; module=sale
name char required default=New nocopy | Order Reference
partner_id many2one res.partner required | Customer
client_order_ref char nocopy | Customer Reference
date_order datetime required nocopy | Order Date
validity_date date | Expiration
state selection readonly default=draft nocopy | Status | draft=Quotation,sent=Quotation Sent,sale=Sales Order,cancel=Cancelled
order_line one2many sale.order.line/order_id | Order Lines
amount_untaxed monetary computed readonly | Untaxed Amount
amount_tax monetary computed readonly | Taxes
amount_total monetary computed readonly | Total
currency_id many2one res.currency default=1 | Currency
user_id many2one res.users | Salesperson
team_id many2one crm.team | Sales Team
note html | Terms and conditions
invoice_status selection readonly default=no nocopy | Invoice Status | upselling=Upselling Opportunity,invoiced=Fully Invoiced,to invoice=To Invoice,no=Nothing to Invoice
company_id many2one res.company required default=1 | Company

[sale.order.line] Sales Order Line; order=order_id, sequence, id; module=sale
order_id many2one sale.order required cascade | Order Reference
sequence integer default=10 | Sequence
name text | Description
product_id many2one product.product restrict | Product
product_uom_qty float required default=1.0 | Quantity
product_uom many2one uom.uom <19 default=1 | Unit of Measure
product_uom_id many2one uom.uom >=19 default=1 | Unit
price_unit float required | Unit Price
discount float | Discount (%)
price_subtotal monetary computed readonly | Subtotal
currency_id many2one res.currency related=order_id.currency_id readonly | Currency
order_partner_id many2one res.partner related=order_id.partner_id readonly | Customer
state selection related=order_id.state readonly | Order Status | draft=Quotation,sent=Quotation Sent,sale=Sales Order,cancel=Cancelled
company_id many2one res.company related=order_id.company_id readonly | Company

[sale.report] Sales Analysis Report; order=date desc, id; module=sale; view
name char readonly | Order Reference
date datetime readonly | Order Date
partner_id many2one res.partner readonly | Customer
product_uom_qty float readonly | Qty Ordered
price_total monetary readonly | Total

[account.account] Account; order=code, id; module=account
name char required | Account Name
code char required | Code
account_type selection required default=income | Type | asset_receivable=Receivable,asset_cash=Bank and Cash,income=Income,expense=Expenses

[account.journal] Journal; order=sequence, type, code, id; module=account
name char required | Journal Name
code char required | Short Code
type selection required | Type | sale=Sales,purchase=Purchase,bank=Bank,cash=Cash,general=Miscellaneous
sequence integer default=10 | Sequence
active boolean default=1 | Active
company_id many2one res.company required default=1 | Company

[account.move] Journal Entry; order=date desc, name desc, invoice_date desc, id desc; module=account
name char nocopy | Number
ref char nocopy | Reference
move_type selection required readonly default=entry | Type | entry=Journal Entry,out_invoice=Customer Invoice,out_refund=Customer Credit Note,in_invoice=Vendor Bill,in_refund=Vendor Credit Note,out_receipt=Sales Receipt,in_receipt=Purchase Receipt
state selection required readonly default=draft nocopy | Status | draft=Draft,posted=Posted,cancel=Cancelled
payment_state selection readonly default=not_paid nocopy | Payment Status | not_paid=Not Paid,in_payment=In Payment,paid=Paid,partial=Partially Paid,reversed=Reversed,blocked=Blocked
partner_id many2one res.partner restrict | Partner
date date required nocopy | Date
invoice_date date nocopy | Invoice/Bill Date
invoice_date_due date nocopy | Due Date
invoice_origin char readonly | Origin
journal_id many2one account.journal required default=1 | Journal
invoice_line_ids one2many account.move.line/move_id | Invoice lines
line_ids one2many account.move.line/move_id | Journal Items
amount_untaxed monetary computed readonly | Untaxed Amount
amount_tax monetary computed readonly | Tax
amount_total monetary computed readonly | Total
amount_residual monetary computed readonly | Amount Due
currency_id many2one res.currency required default=1 | Currency
invoice_user_id many2one res.users | Salesperson
narration html | Terms and Conditions
company_id many2one res.company readonly default=1 | Company

[account.move.line] Journal Item; order=date desc, move_name desc, id; module=account
move_id many2one account.move required cascade | Journal Entry
move_name char related=move_id.name readonly | Number
date date related=move_id.date readonly | Date
parent_state selection related=move_id.state readonly | Status | draft=Draft,posted=Posted,cancel=Cancelled
name char | Label
sequence integer default=10 | Sequence
display_type selection required default=product | Display Type | product=Product,tax=Tax,payment_term=Payment Term,line_section=Section,line_note=Note
product_id many2one product.product restrict | Product
quantity float default=1.0 | Quantity
price_unit float | Unit Price
price_subtotal monetary computed readonly | Subtotal
debit monetary | Debit
credit monetary | Credit
account_id many2one account.account cascade default=1 | Account
partner_id many2one res.partner related=move_id.partner_id readonly | Partner
analytic_distribution json | Analytic Distribution
currency_id many2one res.currency related=move_id.currency_id readonly | Currency
company_id many2one res.company related=move_id.company_id readonly | Company

[project.project] Project; order=sequence, name, id; module=project
name char required translate | Name
active boolean default=1 | Active
sequence integer default=10 | Sequence
partner_id many2one res.partner | Customer
user_id many2one res.users | Project Manager
date_start date | Start Date
date date | Expiration Date
description html | Description
task_ids one2many project.task/project_id | Tasks
company_id many2one res.company | Company

[project.task.type] Task Stage; order=sequence, id; module=project
name char required translate | Name
sequence integer default=1 | Sequence
fold boolean | Folded in Kanban

[project.task] Task; order=priority desc, sequence, date_deadline asc, id desc; module=project
name char required | Title
active boolean default=1 | Active
sequence integer default=10 | Sequence
project_id many2one project.project | Project
stage_id many2one project.task.type restrict default=1 | Stage
state selection required default=01_in_progress nocopy | State | 01_in_progress=In Progress,02_changes_requested=Changes Requested,03_approved=Approved,1_done=Done,1_canceled=Cancelled,04_waiting_normal=Waiting
user_ids many2many res.users | Assignees
partner_id many2one res.partner | Customer
parent_id many2one project.task | Parent Task
child_ids one2many project.task/parent_id | Sub-tasks
priority selection default=0 | Priority | 0=Low priority,1=High priority
date_deadline datetime nocopy | Deadline
allocated_hours float | Allocated Time
description html | Description
company_id many2one res.company | Company

[hr.department] Department; order=name, id; module=hr
name char required | Department Name
active boolean default=1 | Active
manager_id many2one hr.employee | Manager

[hr.job] Job Position; order=sequence, id; module=hr
name char required | Job Position
sequence integer default=10 | Sequence

[hr.employee] Employee; order=name, id; module=hr
name char required | Employee Name
active boolean default=1 | Active
work_email char | Work Email
work_phone char | Work Phone
mobile_phone char | Work Mobile
job_title char | Job Title
job_id many2one hr.job | Job Position
department_id many2one hr.department | Department
parent_id many2one hr.employee | Manager
user_id many2one res.users restrict | User
birthday date | Birthday
company_id many2one res.company required default=1 | Company

[event.stage] Event Stage; order=sequence, name, id; module=event
name char required | Stage Name
sequence integer default=1 | Sequence
pipe_end boolean | End Stage

[event.event] Event; order=date_begin, id; module=event
name char required translate | Event
active boolean default=1 | Active
date_begin datetime required | Start Date
date_end datetime required | End Date
date_tz selection required default=UTC | Display Timezone | UTC=UTC,Europe/Brussels=Europe/Brussels
stage_id many2one event.stage restrict default=1 | Stage
organizer_id many2one res.partner | Organizer
user_id many2one res.users | Responsible
seats_limited boolean | Limit Attendees
seats_max integer | Maximum Attendees
seats_taken integer computed unstored readonly | Number of Taken Seats
registration_ids one2many event.registration/event_id | Attendees
event_ticket_ids one2many event.event.ticket/event_id | Event Ticket
note html | Note
company_id many2one res.company | Company

[event.event.ticket] Event Ticket; order=event_id, sequence, name, id; module=event
name char required | Name
event_id many2one event.event required cascade | Event
sequence integer default=10 | Sequence
price float | Price

[event.registration] Event Registration; order=id desc; module=event
event_id many2one event.event required | Event
event_ticket_id many2one event.event.ticket restrict | Ticket
active boolean default=1 | Active
partner_id many2one res.partner | Booked by
name char | Attendee Name
email char | Email
phone char | Phone
company_name char | Company Name
state selection readonly default=open nocopy | Status | draft=Unconfirmed,open=Registered,done=Attended,cancel=Cancelled
date_closed datetime nocopy | Attended Date
company_id many2one res.company related=event_id.company_id readonly | Company

[base.partner.merge.automatic.wizard] Merge Partner Wizard; order=id; module=base; transient
group_by_email boolean | Email
group_by_name boolean | Name
partner_ids many2many res.partner | Contacts

[ir.model] Models; order=model, id; module=base
name char required | Model Description
model char required | Model
state selection readonly default=base | Type | manual=Custom Object,base=Base Object
transient boolean | Transient Model
modules char computed unstored readonly | In Apps
field_id one2many ir.model.fields/model_id | Fields

[ir.model.fields] Fields; order=name, id; module=base
name char required | Field Name
model char required | Model Name
model_id many2one ir.model required cascade | Model
field_description char required | Field Label
ttype selection required | Field Type | binary=binary,boolean=boolean,char=char,date=date,datetime=datetime,float=float,html=html,integer=integer,json=json,many2many=many2many,many2one=many2one,many2one_reference=many2one_reference,monetary=monetary,one2many=one2many,selection=selection,text=text
relation char | Related Model
relation_field char | Relation Field
required boolean | Required
readonly boolean | Readonly
store boolean | Stored
translate boolean | Translatable
index boolean | Indexed
state selection required readonly default=base | Type | manual=Custom Field,base=Base Field
selection char | Selection Options

[ir.model.data] Model Data; order=module, model, name, id; module=base
name char required | External Identifier
module char required default= | Module
complete_name char computed unstored readonly | Complete ID
model char required | Model Name
res_id many2one_reference | Record ID
noupdate boolean | Non Updatable
reference char computed unstored readonly | Reference
"""
