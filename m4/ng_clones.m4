# NG_CLONES: with a compiler, linker and C library that can choose a function's
# body when the program is loaded (target_clones, which needs ifunc), add
# -DNG_HAVE_CLONES to NG_CFLAGS, and -DNG_HAVE_WIDE_CLONES where AVX-512 can be a
# choice. Shown by running a program: a linker that takes
# it says little about the loader. Not with clang: up to 14 at least the resolver
# of a static function has external linkage, so that two files with a function
# of one name do not link.
AC_DEFUN([NG_CLONES], [
  NG_TRY_CLONES([AVX2], [ng_cv_clones], ["avx2", "default"], [-DNG_HAVE_CLONES])
  NG_TRY_CLONES([AVX-512], [ng_cv_wide_clones], ["arch=x86-64-v4", "avx2", "default"],
    [-DNG_HAVE_WIDE_CLONES])
])

# NG_TRY_CLONES(what, cache variable, targets, flag)
AC_DEFUN([NG_TRY_CLONES], [
  AC_CACHE_CHECK([whether $CC clones functions for $1], [$2],
    [ng_saved_cflags=$CFLAGS
     CFLAGS="$CFLAGS -Werror"
     AC_RUN_IFELSE([AC_LANG_SOURCE([[
       #ifdef __clang__
       #error the resolver of a static function is not static
       #endif
       __attribute__((target_clones($3))) static int twice(int x)
       {
           return 2 * x;
       }
       static int (*const table[])(int) = {twice};
       int main(int argc, char **argv)
       {
           (void)argv;
           return table[argc > 100](argc) == 2 * argc ? 0 : 1;
       }]])],
       [$2=yes], [$2=no], [$2=no])
     CFLAGS=$ng_saved_cflags])
  AS_IF([test $$2 = yes], [NG_CFLAGS="$NG_CFLAGS $4"])
])
