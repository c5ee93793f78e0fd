"""The objects that every sandbox org starts with, as data; `fields` says how a field is written."""

from __future__ import annotations

from dataclasses import dataclass, field

_SYSTEM_HEAD = """
Id:id,ro,default
IsDeleted:boolean,ro,default
"""
_SYSTEM_TAIL = """
CreatedDate:datetime,ro,req,default
CreatedById:reference,ro,req,default>User
LastModifiedDate:datetime,ro,req,default
LastModifiedById:reference,ro,req,default>User
SystemModstamp:datetime,ro,req,default
"""
_OWNER = "OwnerId:reference,req,default>User\n"
_QUEUED = "OwnerId:reference,req,default>Group+User\n"
_PERSON = """
FirstName:string(40),in=Name
LastName:string(80),req,in=Name
Name:string(121),ro,req,default,name
"""
_FULL_NAME = "trim(ifnull(\"FirstName\", '') || ' ' || ifnull(\"LastName\", ''))"
_NUMBER = "printf('%08d', \"Id\" & 1099511627775)"
_INDUSTRIES = "Agriculture|Banking|Biotechnology|Education|Electronics|Energy|Retail|Technology|Utilities|Other"
_SOURCES = "Web|Phone Inquiry|Partner Referral|Purchased List|Other"


def _address(prefix: str) -> str:
    name = f"{prefix}Address"
    return f"""
    {prefix}Street:textarea(255),in={name}
    {prefix}City:string(40),in={name}
    {prefix}State:string(80),in={name}
    {prefix}PostalCode:string(20),in={name}
    {prefix}Country:string(80),in={name}
    {name}:address
    """


@dataclass(frozen=True)
class Standard:
    """An object of the catalogue. `share` is how many records of it there are for each Account."""

    name: str
    prefix: str
    catalogue: str
    plural: str = ""
    label: str = ""
    share: float = 0
    expressions: dict[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> str:
        """The whole catalogue, system fields included."""
        return _SYSTEM_HEAD + self.catalogue + _SYSTEM_TAIL


GROUP = Standard(
    "Group",
    "00G",
    """
Name:string(40),req,name
DeveloperName:string(80)
Type:picklist,req,create=Regular|*Queue
""",
)
USER = Standard(
    "User",
    "005",
    _PERSON
    + """
Username:string(80),req,unique,lookup
Email:email(128),req
Alias:string(8),req
IsActive:boolean=*true|false
TimeZoneSidKey:picklist,closed=*Europe/Berlin|America/New_York|Asia/Tokyo
ManagerId:reference>User
"""
    + _address(""),
    expressions={"Name": _FULL_NAME},
)
STANDARD = (
    GROUP,
    USER,
    Standard(
        "Account",
        "001",
        """
MasterRecordId:reference,ro>Account
Name:string(255),req,name
Type:picklist=Prospect|Customer - Direct|Customer - Channel|Technology Partner|Other
ParentId:reference>Account
"""
        + _address("Billing")
        + _address("Shipping")
        + f"""
Phone:phone
Website:url
Industry:picklist={_INDUSTRIES}
AnnualRevenue:currency(18,0)
NumberOfEmployees:int
Description:textarea(32000)
"""
        + _OWNER
        + """
LastActivityDate:date,ro
Ext_Id__c:string(64),ext,unique
Legacy_Code__c:string(40),ext
Tier__c:picklist,closed=Gold|Silver|Bronze
Tags__c:multipicklist=New|Key|At Risk|Press
Score__c:double(18,2)
Since__c:date
Last_Sync__c:datetime
Opens_At__c:time
Active__c:boolean
Place__Latitude__s:double(18,6),in=Place__c
Place__Longitude__s:double(18,6),in=Place__c
Place__c:location
Rating_Label__c:string(1300),calc
""",
        share=1,
        expressions={"Rating_Label__c": """ifnull("Tier__c", 'none') || '/' || ifnull("Type", 'none')"""},
    ),
    Standard(
        "Contact",
        "003",
        """
MasterRecordId:reference,ro>Contact
AccountId:reference>Account
"""
        + _PERSON
        + """
Salutation:picklist,in=Name=Mr.|Ms.|Dr.|Prof.
"""
        + _address("Mailing")
        + f"""
Phone:phone
MobilePhone:phone
ReportsToId:reference>Contact
Email:email,lookup
Title:string(128)
Department:string(80)
LeadSource:picklist={_SOURCES}
Birthdate:date
Description:textarea(32000)
HasOptedOutOfEmail:boolean
"""
        + _OWNER
        + """
LastActivityDate:date,ro
Ext_Id__c:string(64),ext,unique
Level__c:picklist,closed=Primary|Secondary|Tertiary
Points__c:double(18,0)
""",
        share=1.5,
        expressions={"Name": _FULL_NAME},
    ),
    Standard(
        "Lead",
        "00Q",
        """
MasterRecordId:reference,ro>Lead
"""
        + _PERSON
        + """
Title:string(128)
Company:string(255),req
"""
        + _address("")
        + f"""
Phone:phone
Email:email,lookup
LeadSource:picklist={_SOURCES}
Status:picklist,req=*Open - Not Contacted|Working - Contacted|Closed - Converted|Closed - Not Converted
Industry:picklist={_INDUSTRIES}
AnnualRevenue:currency(18,0)
NumberOfEmployees:int
"""
        + _QUEUED
        + """
IsConverted:boolean,create
ConvertedDate:date,ro
""",
        share=0.5,
        expressions={"Name": _FULL_NAME},
    ),
    Standard(
        "Opportunity",
        "006",
        """
AccountId:reference>Account
Name:string(120),req,name
Description:textarea(32000)
StageName:picklist,req=Prospecting|Qualification|Proposal|Closed Won|Closed Lost
Amount:currency(16,2)
Probability:percent(3,0)
ExpectedRevenue:currency(16,2),calc
CloseDate:date,req
Type:picklist=Existing Business|New Business
IsClosed:boolean,calc
IsWon:boolean,calc
CampaignId:reference>Campaign
"""
        + _OWNER
        + """
Ext_Id__c:string(64),ext,unique
""",
        plural="Opportunities",
        share=0.6,
        expressions={
            "ExpectedRevenue": 'round("Amount" * "Probability" / 100, 2)',
            "IsClosed": """ifnull("StageName" IN ('Closed Won', 'Closed Lost'), 0)""",
            "IsWon": """ifnull("StageName" = 'Closed Won', 0)""",
        },
    ),
    Standard(
        "Case",
        "500",
        """
MasterRecordId:reference,ro>Case
CaseNumber:string(30),ro,req,default,auto,name,lookup
ContactId:reference>Contact
AccountId:reference>Account
Type:picklist=Electrical|Mechanical|Other
Status:picklist=*New|Working|Escalated|Closed
Origin:picklist=Phone|Email|Web
Priority:picklist=High|*Medium|Low
Subject:string(255)
Description:textarea(32000)
ClosedDate:datetime,ro
"""
        + _QUEUED,
        share=0.4,
        expressions={"CaseNumber": _NUMBER},
    ),
    Standard(
        "CaseStatus",
        "01J",
        """
MasterLabel:string(255),req,name
ApiName:string(255)
SortOrder:int
IsDefault:boolean
IsClosed:boolean
""",
        plural="Case Status",
    ),
    Standard(
        "Task",
        "00T",
        """
WhoId:reference>Contact+Lead
WhatId:reference>Account+Opportunity+Case+Campaign+Product2+Invoice__c
Subject:combobox(255)=Call|Email|Send Letter|Other
ActivityDate:date
Status:picklist,req=*Not Started|In Progress|Completed|Deferred
Priority:picklist,req=High|*Normal|Low
Description:textarea(32000)
"""
        + _OWNER,
        share=0.5,
    ),
    Standard(
        "Campaign",
        "701",
        """
Name:string(80),req,name
ParentId:reference>Campaign
Type:picklist=Webinar|Trade Show|Email|Other
Status:picklist=*Planned|In Progress|Completed|Aborted
StartDate:date
EndDate:date
BudgetedCost:currency(18,0)
IsActive:boolean
Description:textarea(32000)
"""
        + _OWNER,
        share=0.1,
    ),
    Standard(
        "Product2",
        "01t",
        """
Name:string(255),req,name
ProductCode:string(255)
Description:textarea(4000)
IsActive:boolean
Family:picklist=Hardware|Software|Service
StockKeepingUnit:string(180)
""",
        label="Product",
        share=0.2,
    ),
    Standard(
        "Invoice__c",
        "a00",
        """
Name:string(80),ro,req,default,auto,name
Account__c:reference>Account
Ext_Id__c:string(64),ext,unique
Status__c:picklist,closed=*Draft|Sent|Paid|Void
Amount__c:currency(16,2)
Due_Date__c:date
Paid_At__c:datetime
Notes__c:textarea(32768)
"""
        + _OWNER,
        label="Invoice",
        share=0.8,
        expressions={"Name": "printf('INV-%06d', \"Id\" & 1099511627775)"},
    ),
)
