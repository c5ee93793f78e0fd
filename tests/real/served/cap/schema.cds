using { managed, cuid } from '@sap/cds/common';

entity crm.People : cuid, managed {
  email   : String(100) not null;
  name    : String(100);
  age     : Integer;
  vip     : Boolean;
  balance : Decimal(9,2);
}
annotate crm.People with @assert.unique: { email: [ email ] };

@requires: 'authenticated-user'
service Sales @(path: '/sales') {
  entity People as projection on crm.People;
}
annotate Sales.People with { modifiedAt @odata.etag };
