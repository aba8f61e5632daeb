# NG_TRY_CFLAGS(FLAG, [PROLOGUE], [BODY], [TRIAL]): append FLAG to NG_CFLAGS when the compiler
# takes it, or takes a program of that prologue and body with TRIAL.
AC_DEFUN([NG_TRY_CFLAGS], [
  ng_saved_cflags=$CFLAGS
  CFLAGS="$CFLAGS m4_default([$4], [$1])"
  AC_MSG_CHECKING([whether $CC takes $1])
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([$2], [$3])],
    [AC_MSG_RESULT([yes]); NG_CFLAGS="$NG_CFLAGS $1"], [AC_MSG_RESULT([no])])
  CFLAGS=$ng_saved_cflags
])
