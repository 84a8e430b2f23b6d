/* The reference for W4: what a C programmer writes who knows that compilers vectorise inner loops
   over arrays of known length. A block of LANES trajectories is stepped to its end. */

#include <stddef.h>

#ifndef LANES
#define LANES 32
#endif

void lorenz_rk4(double *restrict xs, double *restrict ys, double *restrict zs, size_t runs,
                size_t steps, double dt, double sigma, double rho, double beta)
{
    const double half = 0.5 * dt, sixth = dt / 6.0;
    for (size_t first = 0; first < runs; first += LANES) {
        double x[LANES], y[LANES], z[LANES];
        for (size_t i = 0; i < LANES; i++) {
            x[i] = xs[first + i];
            y[i] = ys[first + i];
            z[i] = zs[first + i];
        }
        for (size_t k = 0; k < steps; k++) {
            for (size_t i = 0; i < LANES; i++) {
                const double x0 = x[i], y0 = y[i], z0 = z[i];
                const double a1 = sigma * (y0 - x0);
                const double b1 = x0 * (rho - z0) - y0;
                const double c1 = x0 * y0 - beta * z0;
                const double x1 = x0 + half * a1, y1 = y0 + half * b1, z1 = z0 + half * c1;
                const double a2 = sigma * (y1 - x1);
                const double b2 = x1 * (rho - z1) - y1;
                const double c2 = x1 * y1 - beta * z1;
                const double x2 = x0 + half * a2, y2 = y0 + half * b2, z2 = z0 + half * c2;
                const double a3 = sigma * (y2 - x2);
                const double b3 = x2 * (rho - z2) - y2;
                const double c3 = x2 * y2 - beta * z2;
                const double x3 = x0 + dt * a3, y3 = y0 + dt * b3, z3 = z0 + dt * c3;
                const double a4 = sigma * (y3 - x3);
                const double b4 = x3 * (rho - z3) - y3;
                const double c4 = x3 * y3 - beta * z3;
                x[i] = x0 + sixth * (a1 + 2.0 * (a2 + a3) + a4);
                y[i] = y0 + sixth * (b1 + 2.0 * (b2 + b3) + b4);
                z[i] = z0 + sixth * (c1 + 2.0 * (c2 + c3) + c4);
            }
        }
        for (size_t i = 0; i < LANES; i++) {
            xs[first + i] = x[i];
            ys[first + i] = y[i];
            zs[first + i] = z[i];
        }
    }
}
