# NG_BLAS: find a BLAS with LAPACK by its Fortran names; no Fortran compiler
# needed. Sets NG_BLAS_LIBS.
AC_DEFUN([NG_BLAS], [
  PKG_CHECK_MODULES([OPENBLAS], [openblas], [NG_BLAS_LIBS="$OPENBLAS_LIBS"], [NG_BLAS_LIBS=])
  ng_saved_libs=$LIBS
  AS_IF([test -n "$NG_BLAS_LIBS"], [LIBS="$NG_BLAS_LIBS $LIBS"],
    [AC_SEARCH_LIBS([dgemm_], [openblas blas],
       [AS_CASE([$ac_cv_search_dgemm_], [-l*], [NG_BLAS_LIBS=$ac_cv_search_dgemm_])],
       [AC_MSG_ERROR([no BLAS found: install libopenblas-dev])])
     AC_SEARCH_LIBS([dpotrf_], [lapack openblas],
       [AS_CASE([$ac_cv_search_dpotrf_], [-l*], [NG_BLAS_LIBS="$ac_cv_search_dpotrf_ $NG_BLAS_LIBS"])],
       [AC_MSG_ERROR([no LAPACK found: install libopenblas-dev or liblapack-dev])])])
  AC_CHECK_FUNCS([dgemm_ dpotrf_ dsyevd_ dsyevr_ dgesdd_ dgesvd_ sgemm_ ssyevd_], [],
    [AC_MSG_ERROR([BLAS/LAPACK lacks a routine natgrad needs; see config.log])])
  LIBS=$ng_saved_libs
  AC_SUBST([NG_BLAS_LIBS])
])
