import type { Credentials } from '../../domain/policy/check.ts'
import type { Caller } from '../ports/identity.ts'

/** What a rule may say of the caller, under the names and the older aliases of the rule language. */
export function credentialsOf(
  caller: Pick<Caller, 'userId' | 'userDomainId' | 'projectId' | 'projectDomainId' | 'roles'>,
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
    is_admin_project: true,
    // Tokens here are of projects or of nothing, and no service speaks for a user.
    system_scope: null,
    domain_id: null,
    service_user_id: null,
    service_user_domain_id: null,
    service_project_id: null,
    service_project_domain_id: null,
    service_roles: [],
  }
}
