//! The parts that a proof's time is made of, over `pasta_curves`' own types and over [`Vesta`].
//!
//! `cargo bench -p aureole-prover`

use aureole_prover::Vesta;
use divan::{Bencher, black_box};
use ff::{Field as _, PrimeField as _};
use group::{Curve as _, CurveAffine as _, Group as _};
use halo2_proofs::arithmetic::{best_fft, best_multiexp};
use pasta_curves::{
    Eq as StockPoint, EqAffine, Fp, Fq,
    arithmetic::{CurveAffine, CurveExt as _},
};

/// Sizes of circuits that are proved in a second or so.
const SIZES: [u32; 3] = [10, 12, 14];

fn main() {
    divan::main();
}

/// Pseudo-random scalars, the same in each run.
fn scalars(count: usize) -> Vec<Fp> {
    let next = |scalar: &Fp| Some(scalar.square() + Fp::from(0x9e37_79b9_7f4a_7c15));
    std::iter::successors(Some(Fp::from(3)), next)
        .take(count)
        .collect()
}

/// So many points, none of them a small multiple of another.
fn points<C: CurveAffine + From<EqAffine>>(count: usize) -> Vec<C> {
    let generator = StockPoint::generator();
    let next = |point: &StockPoint| Some(point.double() + generator);
    let points: Vec<_> = std::iter::successors(Some(generator), next)
        .take(count)
        .collect();
    let mut affine = vec![EqAffine::default(); count];
    StockPoint::batch_normalize(&points, &mut affine);
    affine.into_iter().map(C::from).collect()
}

#[divan::bench]
fn field_multiplication(bencher: Bencher<'_, '_>) {
    let (a, b) = (Fq::from(3).invert().unwrap_or(Fq::ONE), -Fq::from(7));
    bencher.bench_local(|| black_box(a) * black_box(b));
}

#[divan::bench(types = [EqAffine, Vesta])]
fn mixed_addition<C: CurveAffine + From<EqAffine>>(bencher: Bencher<'_, '_>) {
    let points = points::<C>(2);
    let (sum, other) = (points[0].to_curve().double(), points[1]);
    bencher.bench_local(|| black_box(sum) + black_box(other));
}

#[divan::bench(types = [EqAffine, Vesta])]
fn doubling<C: CurveAffine + From<EqAffine>>(bencher: Bencher<'_, '_>) {
    let point = points::<C>(1)[0].to_curve().double();
    bencher.bench_local(|| black_box(point).double());
}

#[divan::bench(types = [EqAffine, Vesta])]
fn scalar_multiple<C>(bencher: Bencher<'_, '_>)
where
    C: CurveAffine<ScalarExt = Fp> + From<EqAffine>,
{
    let (point, scalar) = (points::<C>(1)[0], scalars(9)[8]);
    bencher.bench_local(|| black_box(point) * black_box(scalar));
}

/// On all threads, as a commitment is made.
#[divan::bench(types = [EqAffine, Vesta], args = SIZES, sample_count = 20)]
fn multiexponentiation<C>(bencher: Bencher<'_, '_>, k: u32)
where
    C: CurveAffine<ScalarExt = Fp> + From<EqAffine>,
{
    let (points, scalars) = (points::<C>(1 << k), scalars(1 << k));
    bencher.bench_local(|| best_multiexp(black_box(&scalars), black_box(&points)));
}

/// On all threads.
#[divan::bench(args = SIZES, sample_count = 20)]
fn fourier_transform(bencher: Bencher<'_, '_>, k: u32) {
    let mut values = scalars(1 << k);
    let root = (k..Fp::S).fold(Fp::ROOT_OF_UNITY, |root, _| root.square());
    bencher.bench_local(|| best_fft(black_box(&mut values), root, k));
}

/// What reading parameters costs, for each of their 2^(k + 1) points.
#[divan::bench(types = [EqAffine, Vesta])]
fn point_from_bytes<C: CurveAffine + From<EqAffine>>(bencher: Bencher<'_, '_>) {
    let bytes = points::<C>(3)[2].to_bytes();
    bencher.bench_local(|| C::from_bytes(black_box(&bytes)).is_some());
}

/// What generating parameters costs, for each of their 2^k points.
#[divan::bench]
fn hash_to_the_curve(bencher: Bencher<'_, '_>) {
    let hash = StockPoint::hash_to_curve("Halo2-Parameters");
    bencher.bench_local(|| hash(black_box(b"\0abcd")));
}
