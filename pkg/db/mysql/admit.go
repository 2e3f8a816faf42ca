package mysql

import (
	"context"
	"fmt"

	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// bypass are the privileges of which one lets an account write to a server that is read_only (MySQL manual,
// "read_only"; MariaDB manual, "GRANT": since 10.11 SUPER does not any more).
func bypass(flavor dialect.Flavor) []string {
	switch {
	case flavor.Family == schema.MariaDB && flavor.Version >= 101100:
		return []string{"READ_ONLY ADMIN"}
	case flavor.Family == schema.MariaDB:
		return []string{"READ_ONLY ADMIN", "SUPER"}
	}
	return []string{"CONNECTION_ADMIN", "SUPER"}
}

// Admit lets the account write to a server that a fence has made read-only: super_read_only, which holds for
// everybody, comes down to read_only, and the account must be one that read_only does not stop. It does nothing on a
// server that takes writes from all.
func (t *Target) Admit(ctx context.Context) error {
	if closed, err := t.ReadOnly(ctx); err != nil || !closed {
		return err
	}
	all, err := t.readGrants(ctx)
	if err != nil {
		return err
	}
	if names := bypass(t.flavor); !all.allow(schema.Name{}, names...) {
		return fmt.Errorf("write to %s, which is read only: the account may not: GRANT %s ON *.* TO %s",
			t.cfg.Address(), t.flavor.Privileges(names...)[0], t.grantee())
	}
	if !t.flavor.HasSuperReadOnly() {
		return nil
	}
	// An earlier call may have lowered it already. Setting it to 0 again would be harmless, but needs a privilege
	// that the account may lack on a server where somebody else has lowered it.
	super, err := t.variable(ctx, "super_read_only")
	if err != nil || super == "OFF" || super == "0" {
		return err
	}
	if _, err := t.admin.ExecContext(ctx, "SET GLOBAL super_read_only = 0"); err != nil { // read_only stays
		return fmt.Errorf("write to %s, which is super_read_only: %w", t.cfg.Address(), wire.Classify(err))
	}
	return nil
}
