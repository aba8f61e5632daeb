# NG_HARDEN: what compiler, linker and C library have against overrun buffers: checks of copies and
# formats whose room is known, a guard on the stack of functions with arrays, tables of the loader
# that are read-only from the start. Adds to NG_CFLAGS and NG_LDFLAGS, and says in NG_HARDENED what.
# A fortification that is there already, the user's or the compiler's own, is left as it is, and
# without optimisation there is none.
AC_DEFUN([NG_HARDEN], [
  NG_HARDENED=
  AC_MSG_CHECKING([whether $CC can fortify])
  ng_saved_cflags=$CFLAGS
  CFLAGS="$CFLAGS -Werror -D_FORTIFY_SOURCE=2"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[
      #ifndef __OPTIMIZE__
      #error no optimisation
      #endif
      #include <stdio.h>]], [[char text[8]; return snprintf(text, sizeof text, "x") != 1]])],
    [NG_CFLAGS="$NG_CFLAGS -D_FORTIFY_SOURCE=2"
     NG_HARDENED="$NG_HARDENED fortify"
     AC_MSG_RESULT([yes])], [AC_MSG_RESULT([no])])
  CFLAGS="$ng_saved_cflags -Werror -fstack-protector-strong"
  AC_MSG_CHECKING([whether $CC guards the stack])
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]],
      [[char text[100]; return fgets(text, sizeof text, stdin) == NULL]])],
    [NG_CFLAGS="$NG_CFLAGS -fstack-protector-strong"
     NG_HARDENED="$NG_HARDENED stack"
     AC_MSG_RESULT([yes])], [AC_MSG_RESULT([no])])
  CFLAGS=$ng_saved_cflags
  ng_saved_ldflags=$LDFLAGS
  AC_MSG_CHECKING([whether the linker has -z relro and -z now])
  LDFLAGS="$LDFLAGS -Wl,-z,relro -Wl,-z,now"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
    [NG_LDFLAGS="$NG_LDFLAGS -Wl,-z,relro -Wl,-z,now"
     NG_HARDENED="$NG_HARDENED relro now"
     AC_MSG_RESULT([yes])], [AC_MSG_RESULT([no])])
  LDFLAGS=$ng_saved_ldflags
])
