//! These types beside `pasta_curves`' own: one group.

use ff::{PrimeField as _, WithSmallOrderMulGroup as _};
use group::{Curve as _, Group as _, GroupEncoding as _};
use pasta_curves::Fp;

use super::*;

/// Pseudo-random scalars, the same in each run.
fn scalars(count: u64) -> impl Iterator<Item = Fp> {
    (1..=count).map(|seed| {
        let seed = Fp::from(seed) * Fp::from(0x9e37_79b9_7f4a_7c15);
        (seed.square() + Fp::from(0x0123_4567_89ab_cdef)).square()
    })
}

/// Points in both forms: the identity, the generator and its negative, and others of any z.
fn points() -> Vec<(StockPoint, VestaPoint)> {
    let generator = StockPoint::generator();
    let mut stock = vec![StockPoint::identity(), generator, -generator];
    stock.extend(scalars(6).map(|scalar| generator * scalar));
    let doubled = stock.iter().map(StockPoint::double).collect::<Vec<_>>();
    stock.extend(doubled);
    let both = |point: StockPoint| (point, VestaPoint::from(point));
    stock.into_iter().map(both).collect()
}

fn same(ours: VestaPoint, stock: StockPoint) {
    assert_eq!(ours, VestaPoint::from(stock));
    assert_eq!(ours.to_affine().stock(), stock.to_affine());
    assert_eq!(ours.to_bytes(), stock.to_bytes());
}

#[test]
fn sums_and_differences_are_those_of_pasta_curves() {
    for (a, ours) in points() {
        same(ours.double(), a.double());
        same(-ours, -a);
        for (b, other) in points() {
            let (flat, other_flat) = (ours.to_affine(), other.to_affine());
            same(ours + other, a + b);
            same(ours - other, a - b);
            same(ours + other_flat, a + b);
            same(ours - other_flat, a - b);
            same(flat + other_flat, a + b);
            same(flat - other_flat, a - b);
            assert_eq!(ours == other, a == b);
        }
        let (mut sum, mut less) = (ours, ours);
        sum += ours;
        less -= ours.to_affine();
        same(sum, a + a);
        same(less, a - a);
    }
}

#[test]
fn multiples_are_those_of_pasta_curves() {
    let special = [
        Fp::ZERO,
        Fp::ONE,
        -Fp::ONE,
        Fp::from(2),
        Fp::from(7),
        Fp::from(8),
        Fp::ZETA,
        -Fp::ZETA,
        Fp::ZETA + Fp::ONE,
        Fp::from(u64::MAX),
        Fp::from_u128((1 << 127) - 1),
        Fp::from_u128(1 << 127),
        Fp::from_u128(u128::MAX),
    ];
    for (stock, ours) in points() {
        for scalar in special.into_iter().chain(scalars(20)) {
            same(ours * scalar, stock * scalar);
            same(ours.to_affine() * scalar, stock * scalar);
        }
    }
}

#[test]
fn many_points_are_normalized_as_each_alone() {
    let (stock, ours): (Vec<_>, Vec<_>) = points().into_iter().unzip();
    for count in 0..=ours.len() {
        let mut affine = vec![Vesta::default(); count];
        VestaPoint::batch_normalize(&ours[..count], &mut affine);
        for (affine, stock) in affine.iter().zip(&stock) {
            assert_eq!(affine.stock(), stock.to_affine());
        }
    }
}

#[test]
fn encodings_texts_and_hashes_are_those_of_pasta_curves() {
    for (stock, ours) in points() {
        let (stock, ours) = (stock.to_affine(), ours.to_affine());
        assert_eq!(format!("{ours:?}"), format!("{stock:?}"));
        assert_eq!(Vesta::from_bytes(&stock.to_bytes()).unwrap(), ours);
        assert_eq!(Vesta::from(stock), ours);
        assert!(bool::from(ours.is_on_curve()));
        assert_eq!(
            bool::from(ours.coordinates().is_some()),
            !bool::from(stock.is_identity())
        );
    }
    // 2^256 - 1 is no coordinate.
    assert!(bool::from(Vesta::from_bytes(&[0xff; 32]).is_none()));
    let hash = StockPoint::hash_to_curve("aureole-test")(b"message");
    same(VestaPoint::hash_to_curve("aureole-test")(b"message"), hash);
}
