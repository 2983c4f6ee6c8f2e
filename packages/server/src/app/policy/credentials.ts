import type { Credentials } from '../../domain/policy/check.ts'
import type { Caller } from '../ports/identity.ts'

/** What a rule may say of the caller, under the names and the older aliases of the rule language. */
export function credentialsOf(
  caller: Pick<
    Caller,
    | 'userId'
    | 'userDomainId'
    | 'projectId'
    | 'projectDomainId'
    | 'roles'
    | 'systemScope'
    | 'domainId'
    | 'isAdminProject'
    | 'service'
  >,
  isAdmin: boolean,
): Credentials {
  return {
    user_id: caller.userId,
    user: caller.userId,
    user_domain_id: caller.userDomainId,
    user_domain: caller.userDomainId,
    project_id: caller.projectId,
    tenant: caller.projectId,
    project_domain_id: caller.projectDomainId,
    project_domain: caller.projectDomainId,
    roles: caller.roles,
    is_admin: isAdmin,
    is_admin_project: caller.isAdminProject ?? true,
    system_scope: caller.systemScope ?? null,
    domain_id: caller.domainId ?? null,
    service_user_id: caller.service?.userId ?? null,
    service_user_domain_id: caller.service?.userDomainId ?? null,
    service_project_id: caller.service?.projectId ?? null,
    service_project_domain_id: caller.service?.projectDomainId ?? null,
    service_roles: caller.service?.roles ?? [],
  }
}
