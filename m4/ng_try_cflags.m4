# NG_TRY_CFLAGS(FLAG): append FLAG to NG_CFLAGS when the compiler takes it.
AC_DEFUN([NG_TRY_CFLAGS], [
  ng_saved_cflags=$CFLAGS
  CFLAGS="$CFLAGS $1"
  AC_MSG_CHECKING([whether $CC takes $1])
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes]); NG_CFLAGS="$NG_CFLAGS $1"], [AC_MSG_RESULT([no])])
  CFLAGS=$ng_saved_cflags
])
