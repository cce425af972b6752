package pgtest

import "syscall"

// diesWithTest ends a server whose test was ended before it could do so.
func diesWithTest(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGQUIT }
