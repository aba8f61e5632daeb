# NG_CLONES: with a compiler, linker and C library that can choose a function's
# body when the program is loaded (target_clones, which needs ifunc), add
# -DNG_HAVE_CLONES to NG_CFLAGS. Shown by running a program: a linker that takes
# it says little about the loader. Not with clang: up to 14 at least the resolver
# of a static function has external linkage, so that two files with a function
# of one name do not link.
AC_DEFUN([NG_CLONES], [
  AC_CACHE_CHECK([whether $CC clones functions for AVX2], [ng_cv_clones],
    [ng_saved_cflags=$CFLAGS
     CFLAGS="$CFLAGS -Werror"
     AC_RUN_IFELSE([AC_LANG_SOURCE([[
       #ifdef __clang__
       #error the resolver of a static function is not static
       #endif
       __attribute__((target_clones("avx2", "default"))) static int twice(int x)
       {
           return 2 * x;
       }
       static int (*const table[])(int) = {twice};
       int main(int argc, char **argv)
       {
           (void)argv;
           return table[argc > 100](argc) == 2 * argc ? 0 : 1;
       }]])],
       [ng_cv_clones=yes], [ng_cv_clones=no], [ng_cv_clones=no])
     CFLAGS=$ng_saved_cflags])
  AS_IF([test $ng_cv_clones = yes], [NG_CFLAGS="$NG_CFLAGS -DNG_HAVE_CLONES"])
])
